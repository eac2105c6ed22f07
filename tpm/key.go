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

// signTimeout is how long Sign waits: a chip takes up to 100 ms for a signature, and others
// may be before.
const signTimeout = 30 * time.Second

// Config says which key, in which TPM.
type Config struct {
	// Device is where the TPM is:
	//
	//	""                  the system's: /dev/tpmrm0, or /dev/tpm0 where there is only that;
	//	                    on Windows tbs
	//	/dev/tpmrm0         a device, or a unix socket
	//	unix:PATH           a unix socket that takes commands as they are (swtpm)
	//	tcp:HOST:PORT       the same over TCP
	//	mssim:HOST:PORT     the protocol of the reference simulator
	//	swtpm:… device:…    as in TPM2TOOLS_TCTI
	//	tbs                 TPM Base Services of Windows
	Device string
	// File is the content of a TSS2 key file, PEM or DER. It or Handle is set.
	File []byte
	// Handle is the persistent handle of the key, 0x81000000 to 0x81ffffff.
	Handle uint32
	// KeyAuth gets the auth value of the key. It is not called for a file that says that
	// the key has none (EmptyAuth); without it, a key under a handle is taken to have none.
	KeyAuth func() ([]byte, error)
	// ParentAuth gets the auth value of a persistent parent, OwnerAuth that of the hierarchy
	// below which the parent is made; without them it is empty. Each is called at most
	// once, by Open.
	ParentAuth, OwnerAuth func() ([]byte, error)
	// Timeout is how long Sign may take, with waiting for others; 0 is 30 seconds.
	Timeout time.Duration
	// Brief takes the key out of the TPM after each signature, without waiting for that: for a
	// program that wants one. The next signature loads it again.
	Brief bool
}

// secrets are the auth values.
type secrets struct{ key, parent, owner []byte }

// Key is a key in a TPM. It is a crypto.Signer, and may be used by several goroutines.
type Key struct {
	lessor  *lessor
	timeout time.Duration
	brief   bool
	public  crypto.PublicKey
	scheme  scheme

	// The turn of the lessor guards what follows.
	object  *object
	closed  bool
	proven  bool  // the TPM has taken the auth value
	refused error // an AuthError: it is not tried again
}

// Open loads a key. Close lets go of it.
//
// Errors are ErrNoDevice, ErrAuthRequired, ErrForeignKey, ErrNoHandle, ErrBusy, an *AuthError
// (of the parent or the hierarchy: the key's own auth value is first used by Sign), the
// cause of ctx, and what says why the key cannot sign.
func Open(ctx context.Context, c Config) (*Key, error) {
	where, err := parseAddress(c.Device)
	if err != nil {
		return nil, err
	}
	obj, err := newObject(c)
	if err != nil {
		return nil, err
	}
	k := &Key{lessor: newLessor(where), timeout: c.Timeout, brief: c.Brief, object: obj}
	if k.timeout == 0 {
		k.timeout = signTimeout
	}
	k.lessor.leave = obj.save
	err = k.lessor.do(ctx, func(ctx context.Context) error {
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

// SignContext signs a digest: ECDSA as ASN.1, RSA as PKCS #1 v1.5. The hash is SHA-256,
// SHA-384 or SHA-512, with any size of key, unless the key fixes one.
//
// A wrong auth value gives an *AuthError, and is not tried again: every later call gives
// the same. Other errors are those of Open.
func (k *Key) SignContext(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	in, err := k.scheme.command(digest, opts)
	if err != nil {
		return nil, err
	}
	var signature *tpm2.TPMTSignature
	err = k.lessor.do(ctx, func(ctx context.Context) (err error) {
		signature, err = k.sign(ctx, in)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sign with the TPM: %w", err)
	}
	if k.brief {
		go k.lessor.end()
	}
	return encode(signature, k.public)
}

// Close lets go of the key, in the TPM too. It waits for a signature that is being made.
func (k *Key) Close() error {
	k.lessor.turn <- struct{}{}
	k.closed = true
	<-k.lessor.turn
	k.lessor.end()
	return nil
}

// ready returns a connection in which the key is loaded.
func (k *Key) ready(ctx context.Context) (c *conn, err error) {
	err = retryFull(ctx, func() error {
		resumed := k.lessor.conn != nil
		if c, err = k.lessor.connect(ctx); err != nil || resumed {
			return err
		}
		err = k.object.load(c)
		switch {
		case err == nil:
			k.lessor.ready()
		case errors.Is(err, errLink):
			k.lessor.drop()
		default:
			k.lessor.release()
		}
		return err
	})
	return c, err
}

// retryFull runs op until the TPM has room for what it loads. op lets go of everything when
// it fails, so that of several who wait one gets on.
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

// sign runs the command. What a reset or a broken connection spoils is done again, once, but
// not with an auth value of which the TPM has not said that it is right.
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

// attempt runs the command once, and tells whether the TPM may have got it.
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

// spoiled reports whether the error is of the connection or what was loaded in it, which is
// then given up.
func (k *Key) spoiled(err error) bool {
	switch {
	case errors.Is(err, errLink):
		k.lessor.drop()
		return true
	case isStale(err):
		k.lessor.release()
		return true
	}
	return false
}
