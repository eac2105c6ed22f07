package issuance

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"io/fs"
	"sync"
	"time"

	"kedge/ca/ledger"
)

// Keys opens the keys of authorities, wherever they are. Its methods may be called from several
// goroutines, but Signer never before an earlier call has returned.
type Keys interface {
	// Signer opens the key of an authority. public is what it must be: some tokens hold no
	// public key. The service keeps the signer; the caller closes it after the service was
	// last used.
	Signer(ctx context.Context, authority string, public crypto.PublicKey) (crypto.Signer, error)
	// Has reports whether the key of an authority is here, without opening it.
	Has(authority string) (bool, error)
}

// Config is what a Service works with.
type Config struct {
	// Ledger is that of the CA. Required; the caller closes it.
	Ledger *ledger.Ledger
	// Now is the clock. Required.
	Now func() time.Time
	// Keys opens the keys of the CA. When it is nil, none of them is here.
	Keys Keys
	// LastList returns the last complete list of an authority, as it was published, in DER, and
	// its place, which errors name. Without a list, the error wraps fs.ErrNotExist and the place
	// is where it would be. When LastList is nil, there is none.
	LastList func(authority string) (der []byte, place string, err error)
	// Certificate reads the certificate in a file that a query names; an error that wraps
	// fs.ErrNotExist when there is no such file. When it is nil, queries name no files: front
	// ends that take queries from other machines leave it out.
	Certificate func(path string) (*x509.Certificate, error)
	// Expiry says which leaves Status reports.
	Expiry Expiry
}

// Service is a CA. It is safe for concurrent use.
type Service struct {
	ledger   *ledger.Ledger
	now      func() time.Time
	keys     Keys
	lastList func(authority string) (der []byte, place string, err error)
	readCert func(path string) (*x509.Certificate, error)
	expiry   Expiry

	opening sync.Mutex
	opened  map[string]*opened // by name; under opening

	issuingCA sync.Mutex
}

// New makes a service. It does not look into the ledger.
func New(c Config) (*Service, error) {
	if c.Ledger == nil || c.Now == nil {
		return nil, errors.New("a CA service needs a ledger and a clock")
	}
	s := &Service{ledger: c.Ledger, now: c.Now, keys: c.Keys, lastList: c.LastList, readCert: c.Certificate, expiry: c.Expiry, opened: map[string]*opened{}}
	if s.keys == nil {
		s.keys = noKeys{}
	}
	if s.lastList == nil {
		s.lastList = func(string) ([]byte, string, error) { return nil, "", fs.ErrNotExist }
	}
	return s, nil
}

// noKeys is for a service without keys.
type noKeys struct{}

func (noKeys) Signer(_ context.Context, authority string, _ crypto.PublicKey) (crypto.Signer, error) {
	return nil, &NoKeyError{Authority: authority}
}

func (noKeys) Has(string) (bool, error) { return false, nil }
