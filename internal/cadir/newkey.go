package cadir

import (
	"context"
	"crypto"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"kedge/internal/atomicfile"
	"kedge/internal/hostfiles"
	"kedge/internal/pkcs8"
	"kedge/internal/safefile"
	"kedge/signer"
)

// NewKey is the key of an authority that is being made. A run that was interrupted leaves the key
// in its file, and perhaps the certificate in the ledger; the next run resumes with them.
type NewKey struct {
	crypto.Signer
	Path    string // NAME.key or NAME.key-uri
	Resumed bool   // that was there already
	Opened  *Key   // nil: it was made just now
	URI     string // to be written to Path when the key is elsewhere

	Password []byte   // to encrypt a key that was made; nil: in the clear
	Warnings []string // what endangers the key, or Password

	der []byte // to be written to Path when it was made
}

// KeyRequest specifies which key an authority is to have.
type KeyRequest struct {
	Authority string
	URI       string           // of a key that is there already, as CleanKeyURI returned it; empty to make one
	Public    crypto.PublicKey // what it must be; nil: whatever it is
	// Generate makes a key and its PKCS#8 encoding.
	Generate func() (key crypto.Signer, der []byte, err error)
	// Password returns what a key that was made is encrypted with, nil for not at all, and warnings
	// about it; path is the key's. Begin does not call it.
	Password func(path string) (password []byte, warnings []string, err error)
}

// New is Begin with the password of a key that was made. After an error there is nothing to close.
func (k *Keys) New(ctx context.Context, r KeyRequest) (*NewKey, error) {
	n, err := k.Begin(ctx, r)
	if err == nil {
		err = n.Protect(r)
	}
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// Protect gets the password of a key that was made.
func (n *NewKey) Protect(r KeyRequest) (err error) {
	if n.Opened == nil {
		n.Password, n.Warnings, err = r.Password(n.Path)
	}
	return err
}

// Begin opens the key that NAME.key or NAME.key-uri has, or that the request names, or makes one.
// The last two are written by Write. A key that is there, and that no interrupted run of this user
// can have left, is a *safefile.LeftoverError, unless the request names the key. Each error
// is an *UnusableError. The NewKey must be closed, after an error too.
func (k *Keys) Begin(ctx context.Context, r KeyRequest) (n *NewKey, err error) {
	n = &NewKey{Path: k.Folder.KeyPath(r.Authority)}
	if err := k.begin(ctx, r, n); err != nil {
		return n, &UnusableError{Err: err}
	}
	if n.Opened != nil {
		n.Signer, n.Warnings = n.Opened, n.Opened.Warnings
	}
	return n, nil
}

func (k *Keys) begin(ctx context.Context, r KeyRequest, n *NewKey) error {
	path, there, err := k.Folder.KeyFile(r.Authority)
	switch {
	case err != nil:
		return err
	case there && r.URI != "":
		if kept, err := k.Folder.KeyURI(r.Authority); err != nil || kept != r.URI {
			return errors.Join(err, atomicfile.Vacant(path))
		}
		fallthrough
	case there:
		n.Path, n.Resumed = path, true
		n.Opened, err = k.resume(ctx, r, path)
	case r.URI != "":
		n.Path, n.URI = k.Folder.KeyURIPath(r.Authority), r.URI
		n.Opened, err = k.OpenURI(ctx, r.URI, r.Public)
	default:
		n.Signer, n.der, err = r.Generate()
	}
	return err
}

// resume opens the key that is there. Where it is not known which key that must be, its file must be
// what an interrupted run of this user left.
func (k *Keys) resume(ctx context.Context, r KeyRequest, path string) (*Key, error) {
	if r.Public != nil {
		return k.Open(ctx, r.Authority, r.Public)
	}
	data, err := safefile.ReadLeftover(path, signer.MaxFile)
	if err != nil {
		return nil, err
	}
	if path != k.Folder.KeyURIPath(r.Authority) {
		return k.open(ctx, keyAt{reference: "file:" + path, data: data})
	}
	uri, err := CleanKeyURI(strings.TrimSpace(string(data)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return k.OpenURI(ctx, uri, nil)
}

// Write puts a key that was made, encrypted unless Password is nil, or where the key is, into its
// file, and never over something that is there. It clears the key's encoding and the password.
func (n *NewKey) Write() error {
	switch {
	case n.Resumed:
		return nil
	case n.URI != "":
		return atomicfile.Create(n.Path, []byte(n.URI+"\n"), 0o644)
	}
	defer clear(n.Password)
	defer clear(n.der)
	block := &pem.Block{Type: "PRIVATE KEY", Bytes: n.der}
	if n.Password != nil {
		var err error
		if block.Bytes, err = pkcs8.Encrypt(n.der, n.Password); err != nil {
			return err
		}
		block.Type = "ENCRYPTED PRIVATE KEY"
	}
	return atomicfile.Create(n.Path, pem.EncodeToMemory(block), 0o600)
}

// Where is the path of the key, or what names it elsewhere.
func (n *NewKey) Where() string {
	if n.URI != "" {
		return n.URI
	}
	return n.Path
}

// Outcome describes what became of the key, once the certificate and the files are written.
func (n *NewKey) Outcome() string {
	switch {
	case n.Resumed && n.URI != "":
		return hostfiles.Resumed(n.URI + ", which " + n.Path + " names")
	case n.Resumed:
		return hostfiles.Resumed(n.Path)
	case n.URI != "":
		return n.Path + " says where its key is, " + n.URI + ": without that key nothing can be issued"
	case n.Password == nil:
		return n.Path + " is its key: keep it safe"
	}
	return n.Path + " is its key: keep it and its password safe, and apart"
}

// Dangers returns what endangers the key.
func (n *NewKey) Dangers() []string {
	plain := ""
	switch {
	case n.Opened != nil && n.Opened.Plain:
		plain = n.Opened.String()
	case n.Opened == nil && n.Password == nil:
		plain = n.Path
	default:
		return n.Warnings
	}
	return append([]string{plain + " is not encrypted: whoever reads it can become every role that trusts this CA"}, n.Warnings...)
}

// Close lets go of a key in hardware.
func (n *NewKey) Close() error {
	if n == nil || n.Opened == nil {
		return nil
	}
	return n.Opened.Close()
}
