package tpm

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/go-tpm/tpm2"
)

// signTimeout bounds Sign: a chip takes up to 100 ms for a signature, and other programs may come
// first.
const signTimeout = 30 * time.Second

// Config specifies which key to open, in which TPM.
type Config struct {
	// Device is the address of the TPM:
	//
	// 	""                  the system's: /dev/tpmrm0, or /dev/tpm0 if there is only that; on Windows tbs
	// 	/dev/tpmrm0         a device, or a unix socket
	// 	unix:PATH           a unix socket that takes plain commands (swtpm)
	// 	tcp:HOST:PORT       the same over TCP
	// 	mssim:HOST:PORT     the protocol of the reference simulator
	// 	swtpm:… device:…    as in TPM2TOOLS_TCTI
	// 	tbs                 TPM Base Services of Windows
	Device string
	// File is the content of a TSS2 key file, PEM or DER. Either it or Handle is set.
	File []byte
	// Handle is the persistent handle of the key, 0x81000000 to 0x81ffffff.
	Handle uint32
	// KeyAuth returns the auth value of the key. It is not called for a file which states that the key
	// has none (EmptyAuth). If it is nil, a key under a handle is assumed to have none.
	KeyAuth func() ([]byte, error)
	// ParentAuth returns the auth value of a persistent parent, OwnerAuth that of the hierarchy
	// below which the parent is created; if nil, it is empty. Each is called at most once, by Open.
	ParentAuth, OwnerAuth func() ([]byte, error)
	// Timeout bounds Sign, with the wait for other programs; 0 is 30 seconds.
	Timeout time.Duration
	// Brief unloads the key after each signature, in the background: for a program that signs once.
	// The next signature loads it again.
	Brief bool
	// SpareLast uses no auth value if the TPM would lock after a wrong one: for a program that only examines a
	// key. The error is an *AuthError then.
	SpareLast bool
}

// secrets are the auth values.
type secrets struct{ key, parent, owner []byte }

// Key is a key in a TPM. It is a crypto.Signer, safe for concurrent use.
type Key struct {
	manager *connManager
	timeout time.Duration
	brief   bool
	spare   bool // the last try
	public  crypto.PublicKey
	scheme  scheme

	// Guarded by the manager's turn:
	object  *object
	closed  bool
	proven  bool  // the TPM has accepted the auth value
	refused error // an AuthError: the auth value is not tried again
}

// Open loads a key. Close unloads it.
//
// Errors are ErrNoDevice, ErrAuthRequired, ErrForeignKey, ErrNoHandle, ErrBusy, an *AuthError (of
// the parent or the hierarchy: the key's own auth value is first used by Sign), the cause of ctx,
// and errors that say why the key cannot sign.
func Open(ctx context.Context, c Config) (*Key, error) {
	where, err := parseAddress(c.Device)
	if err != nil {
		return nil, err
	}
	obj, err := newObject(c)
	if err != nil {
		return nil, err
	}
	k := &Key{manager: newConnManager(where), timeout: c.Timeout, brief: c.Brief, spare: c.SpareLast, object: obj}
	if k.timeout == 0 {
		k.timeout = signTimeout
	}
	k.manager.beforeClose = obj.save
	err = k.manager.do(ctx, func(ctx context.Context) error {
		_, err := k.ready(ctx)
		return err
	})
	if err != nil {
		k.Close()
		return nil, err
	}
	if k.public, k.scheme, err = signingKey(obj.public); err != nil {
		k.Close()
		return nil, err
	}
	return k, nil
}

// Public returns the public key: an *ecdsa.PublicKey or *rsa.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Sign implements crypto.Signer, by SignContext with the timeout of the Config.
func (k *Key) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), k.timeout, fmt.Errorf("no signature within %s", k.timeout))
	defer cancel()
	return k.SignContext(ctx, digest, opts)
}

// SignContext signs a digest: ECDSA as ASN.1, RSA as PKCS #1 v1.5. The hash is SHA-256, SHA-384 or
// SHA-512, with any size of key, unless the key is bound to one.
//
// A wrong auth value gives an *AuthError, and is not tried again: every later call returns the same
// error. Other errors are those of Open.
func (k *Key) SignContext(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	in, err := k.scheme.command(digest, opts)
	if err != nil {
		return nil, err
	}
	var signature *tpm2.TPMTSignature
	err = k.manager.do(ctx, func(ctx context.Context) (err error) {
		signature, err = k.sign(ctx, in)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sign with the TPM: %w", err)
	}
	if k.brief {
		go k.manager.end()
	}
	return encode(signature, k.public)
}

// Close unloads the key, after a signature in progress. If the TPM has not answered within two seconds, its
// connection is closed. Close returns nil.
func (k *Key) Close() error {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		k.manager.turn <- struct{}{}
		k.closed = true
		<-k.manager.turn
		k.manager.end()
	}()
	select {
	case <-closed:
	case <-time.After(closeTimeout):
		if c := k.manager.open.Load(); c != nil {
			c.Close()
		}
	}
	return nil
}

// ready returns a connection in which the key is loaded.
func (k *Key) ready(ctx context.Context) (c *conn, err error) {
	err = retryFull(ctx, func() error {
		resumed := k.manager.conn != nil
		if c, err = k.manager.connect(ctx); err != nil || resumed {
			return err
		}
		if err = k.spareLast(c); err == nil {
			err = k.object.load(c)
		}
		switch {
		case err == nil:
			k.manager.ready()
		case errors.Is(err, errLink):
			k.manager.drop()
		default:
			k.manager.release()
		}
		return err
	})
	return c, err
}

// spareLast returns an error if an auth value is to be used, and a wrong one would lock the TPM.
func (k *Key) spareLast(c *conn) error {
	s := k.object.secrets
	if !k.spare || len(s.key)+len(s.parent)+len(s.owner) == 0 {
		return nil
	}
	e := &AuthError{Of: "key", Untried: true}
	e.count(c)
	if e.Max == 0 || e.Tries+1 < e.Max {
		return nil
	}
	return e
}

// retryFull runs op until the TPM has room for what it loads. op must flush everything when it
// fails, so that one of several waiting programs can proceed.
func retryFull(ctx context.Context, op func() error) error {
	wait := backoff{first: 5 * time.Millisecond, most: 200 * time.Millisecond, limit: 15 * time.Second}
	for {
		err := op()
		if !isFull(err) {
			return err
		}
		if !wait.next(ctx) {
			return fmt.Errorf("%w (%w)", ErrBusy, err)
		}
	}
}

// sign runs the command. If a reset or a broken connection made it fail, it is repeated once, but
// not with an auth value that the TPM has not accepted before.
func (k *Key) sign(ctx context.Context, in tpm2.Sign) (*tpm2.TPMTSignature, error) {
	switch {
	case k.closed:
		return nil, ErrClosed
	case k.refused != nil:
		return nil, k.refused
	}
	for again := true; ; again = false {
		signature, tried, err := k.attempt(ctx, in)
		if err == nil || !k.spoiled(err) || !again || tried && !k.proven && k.object.hasAuth() {
			return signature, err
		}
	}
}

// attempt runs the command once, and reports whether the TPM may have received it.
func (k *Key) attempt(ctx context.Context, in tpm2.Sign) (signature *tpm2.TPMTSignature, tried bool, err error) {
	c, err := k.ready(ctx)
	if err == nil {
		tried = true
		in.KeyHandle = k.object.authorization()
		var rsp *tpm2.SignResponse
		if rsp, err = in.Execute(c); err == nil {
			k.proven = true
			return &rsp.Signature, true, nil
		}
		if isAuth(err) {
			err = authError(c, "key", err)
		}
	}
	if refusal, ok := errors.AsType[*AuthError](err); ok && !refusal.Locked {
		k.refused = err
	}
	return nil, tried, err
}

// spoiled reports whether the error is one of the connection or of what was loaded in it, and
// closes it then.
func (k *Key) spoiled(err error) bool {
	switch {
	case errors.Is(err, errLink):
		k.manager.drop()
		return true
	case isStale(err):
		k.manager.release()
		return true
	}
	return false
}
