package hostcert

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/internal/hostfiles"
	"kedge/internal/report"
)

// Issuer creates keys and certificates for names, and their files. Its methods are safe for
// concurrent use.
type Issuer struct {
	*issuance.Issuer
	Format   hostfiles.Format
	Recorded func() // called after a certificate has been recorded; may be nil
}

// Request is a request for one name.
type Request struct {
	Leaf    ca.Request // without the key
	Profile *ca.Profile
	NewKey  hostfiles.Generate
	Files   hostfiles.Paths
}

// Result is the result of a request. There can be many: it keeps the certificate as DER, a tenth of
// the size of a parsed one.
type Result struct {
	Name     string          // the common name
	Again    bool            // it had been issued before; see issuance.Issued
	Files    hostfiles.Paths // that were written
	Warnings []string
	Leftover string // the path of a key that an earlier run created

	der   []byte
	about ca.Issued // without the certificate
}

func newResult(issued issuance.Issued, files hostfiles.Paths) Result {
	r := Result{Name: issued.Certificate.Subject.CommonName, Again: issued.Again, Files: files, der: slices.Clone(issued.Certificate.Raw), about: issued.Issued}
	r.about.Certificate = nil
	return r
}

// Issued returns what was issued. Each call parses the certificate.
func (r Result) Issued() (issued ca.Issued, err error) {
	issued = r.about
	issued.Certificate, err = x509.ParseCertificate(r.der)
	return issued, err
}

// Make creates the key, the certificate and the files of a request. For a key that an interrupted
// run left, it writes the certificate of the ledger if there is one. If the name has its files
// already, the error is fs.ErrExist.
func (i *Issuer) Make(ctx context.Context, r Request) (Result, error) {
	var leaf *issuance.Leaf
	key, err := hostfiles.Begin(ctx, r.Files, func() (crypto.Signer, []byte, error) {
		key, der, err := r.NewKey()
		if err == nil {
			leaf, err = i.prepare(r, key.Public())
		}
		return key, der, err
	})
	if err != nil {
		return Result{}, err
	}
	defer key.Close()
	if key.Resumed {
		if leaf, err = i.prepare(r, key.Public()); err != nil {
			return Result{}, err
		}
	}
	issued, err := leaf.Issue(ctx)
	if err != nil {
		if !issuance.MayBeRecorded(err) {
			err = errors.Join(err, key.Withdraw())
		}
		return Result{}, err
	}
	return i.write(r, key, *issued)
}

func (i *Issuer) prepare(r Request, public crypto.PublicKey) (*issuance.Leaf, error) {
	request := r.Leaf
	request.Public, request.Once = public, true
	return i.Prepare(r.Profile, request)
}

// write writes the files except the key.
func (i *Issuer) write(r Request, key *hostfiles.Pending, issued issuance.Issued) (Result, error) {
	if i.Recorded != nil {
		i.Recorded()
	}
	files, err := key.Write(i.certificates(issued.Certificate), i.Format)
	if err != nil {
		return Result{}, err
	}
	result := newResult(issued, files)
	if key.Resumed {
		result.Leftover = r.Files.Key
	}
	if !issued.Again {
		result.Warnings = ShortWarnings(r.Files.Certificate, issued.Issued, r.Leaf.Lifetime)
	}
	result.Warnings = append(result.Warnings, EndedWarnings(issued)...)
	return result, nil
}

// certificates returns a certificate and those of the authority that issued it.
func (i *Issuer) certificates(cert *x509.Certificate) hostfiles.Certificates {
	authority := i.Authority()
	issuers := append([]*x509.Certificate{authority.Certificate()}, authority.Issuers()...)
	return hostfiles.Certificates{Leaf: cert, Issuers: issuers, Intermediates: authority.Chain()}
}

// EndedWarnings returns warnings about certificates of the same name with other keys.
func EndedWarnings(i issuance.Issued) []string {
	const shown = 3
	var all []string
	for n, c := range i.Ended {
		if n == shown {
			all = append(all, fmt.Sprintf("%q has %d more valid certificates with other keys; kedge-ca who %s lists them", c.CommonName, len(i.Ended)-n, c.CommonName))
			break
		}
		all = append(all, fmt.Sprintf("%q has another key now: its certificate with serial %s, valid until %s, can no longer be renewed; if its key is out of use: kedge-ca revoke --serial %s", c.CommonName, c.Serial, report.Time(c.NotAfter), c.Serial))
	}
	return all
}
