package issuance

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// Keys opens the keys of authorities, wherever they are. Its methods may be called concurrently,
// but a call of Signer begins only when the previous one has returned.
type Keys interface {
	// Signer opens the key of an authority. public is its public key: some tokens do not have it.
	// The service keeps the signer; the caller closes it after the last use of the service.
	Signer(ctx context.Context, authority string, public crypto.PublicKey) (crypto.Signer, error)
	// Has reports whether the key of an authority is available, without opening it.
	Has(authority string) (bool, error)
}

// Config has the settings of a Service.
type Config struct {
	// Ledger is that of the CA. Required; the caller closes it.
	Ledger *ledger.Ledger
	// Now is the clock. Required.
	Now func() time.Time
	// Keys opens the keys of the CA. nil: no key is available.
	Keys Keys
	// LastList returns the last complete CRL of an authority, as published, in DER, and its path or
	// URL, for errors. If there is none, the error wraps fs.ErrNotExist and the path is where it
	// would be. nil: there are none.
	LastList func(authority string) (der []byte, place string, err error)
	// Certificate reads the certificate in a file that a query names; an error that wraps
	// fs.ErrNotExist if the file does not exist. nil: queries name no files, as in a front end that
	// takes queries from other machines.
	Certificate func(path string) (*x509.Certificate, error)
	// Expiry specifies which leaves Status reports.
	Expiry Expiry
	// Sessions specifies when Status reports that hosts need more sessions than AWS makes.
	Sessions Sessions
	// Published returns where others fetch what verifies the leaves of an authority: see
	// SetPublished. nil: nowhere.
	Published func(authority string) ca.Published
}

// Service is a CA. It is safe for concurrent use.
type Service struct {
	ledger   *ledger.Ledger
	now      func() time.Time
	keys     Keys
	lastList func(authority string) (der []byte, place string, err error)
	readCert func(path string) (*x509.Certificate, error)
	expiry   Expiry
	sessions Sessions

	opening sync.Mutex
	opened  map[string]*opened // by name; under opening

	issuingCA sync.Mutex

	published atomic.Pointer[func(authority string) ca.Published]
}

// New returns a service. It does not read the ledger.
func New(c Config) (*Service, error) {
	if c.Ledger == nil || c.Now == nil {
		return nil, errors.New("a CA service needs a ledger and a clock")
	}
	s := &Service{ledger: c.Ledger, now: c.Now, keys: c.Keys, lastList: c.LastList, readCert: c.Certificate, expiry: c.Expiry, sessions: c.Sessions, opened: map[string]*opened{}}
	s.SetPublished(c.Published)
	if s.keys == nil {
		s.keys = noKeys{}
	}
	if s.lastList == nil {
		s.lastList = func(string) ([]byte, string, error) { return nil, "", fs.ErrNotExist }
	}
	return s, nil
}

// SetPublished replaces Config.Published for what is issued from now on.
func (s *Service) SetPublished(f func(authority string) ca.Published) {
	if f == nil {
		f = func(string) ca.Published { return ca.Published{} }
	}
	s.published.Store(&f)
}

// published returns where what verifies a leaf of the issuer can be fetched.
func (i *Issuer) published() ca.Published { return (*i.service.published.Load())(i.name) }

// noKeys is Keys of a service without keys.
type noKeys struct{}

func (noKeys) Signer(_ context.Context, authority string, _ crypto.PublicKey) (crypto.Signer, error) {
	return nil, &NoKeyError{Authority: authority}
}

func (noKeys) Has(string) (bool, error) { return false, nil }
