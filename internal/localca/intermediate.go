package localca

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/cadir"
)

// Intermediate describes an authority below another.
type Intermediate struct {
	Name   string
	Parent string             // empty: the root
	Config ca.AuthorityConfig // with its subject
	Keys   *cadir.Keys        // with the password of its key, which can be another than the parent's
	Key    cadir.KeyRequest   // without its name

	KeepIssuer bool // it does not become the issuing authority
}

// OfflineParentError reports that the key of a parent is not here.
type OfflineParentError struct {
	Parent string
	Err    error
}

func (e *OfflineParentError) Error() string { return e.Err.Error() }
func (e *OfflineParentError) Unwrap() error { return e.Err }

// MakeIntermediate makes an authority: its key, and a certificate that a parent of this folder signs.
func (c *CA) MakeIntermediate(ctx context.Context, i Intermediate) (a ledger.Authority, err error) {
	if err := c.CheckNewName(ctx, i.Name); err != nil {
		return a, err
	}
	above, err := c.Service.Parent(ctx, i.Parent)
	if err != nil {
		return a, err
	}
	parent, err := c.Issuing(ctx, above.Name)
	if unusable, ok := errors.AsType[*cadir.UnusableError](err); ok && unusable.NoKey {
		return a, &OfflineParentError{above.Name, err}
	}
	if err != nil {
		return a, err
	}
	key, err := i.newKey(ctx)
	if err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, key.Close()) }()
	prepared, err := parent.PrepareCA(key.Public(), i.Config, c.now())
	if err != nil {
		return a, err
	}
	a, err = c.AddIntermediate(ctx, ledger.Authority{Name: i.Name, Parent: above.Name}, key, prepared, i.KeepIssuer)
	if err != nil {
		return a, err
	}
	c.done("made the intermediate CA %q below %q, valid until %s", a.Certificate.Subject.CommonName, above.Name, until(a.Certificate))
	c.config.tellKey(key)
	c.tellIssuing(a)
	return a, nil
}

func (i Intermediate) newKey(ctx context.Context) (*cadir.NewKey, error) {
	i.Key.Authority = i.Name
	return i.Keys.New(ctx, i.Key)
}

// tellIssuing reports whether a new or renewed authority issues from now on.
func (c *CA) tellIssuing(a ledger.Authority) {
	switch {
	case a.Issuing:
		c.done("%q issues from now on; the trust anchor stays its root, and hosts send %s along", a.Name, c.folder.CertificatePath(a.Name))
	case a.State == ledger.Next:
		c.done("%q will issue after: kedge-ca rotate switch --to %s", a.Name, a.Name)
	default:
		c.done("%q issues when it is asked to, with --issuer %s", a.Name, a.Name)
	}
}

// Requested is a certificate request of an authority. The tags are those of kedge-ca's JSON.
type Requested struct {
	Request string `json:"request"` // path of NAME.csr
	Key     string `json:"key"`
	Subject string `json:"subject"`
}

// RequestIntermediate makes a key, or takes the one that is there, and NAME.csr, for a parent
// elsewhere. It needs no ledger, and makes the folder. If the authority has a certificate, the
// request is for its renewal.
func RequestIntermediate(ctx context.Context, c Config, i Intermediate) (r *Requested, err error) {
	if err := issuance.CheckName(i.Name); err != nil {
		return nil, err
	}
	folder := i.Keys.Folder
	path := filepath.Join(folder.Dir, i.Name+".csr")
	if err := atomicfile.Vacant(path); err != nil {
		return nil, err
	}
	key, err := i.newKey(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, key.Close()) }()
	subject, err := i.subject()
	if err != nil {
		return nil, err
	}
	der, err := ca.NewCSR(key, subject)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder.Dir, 0o700); err != nil {
		return nil, err
	}
	if err := key.Write(); err != nil {
		return nil, err
	}
	if err := atomicfile.Create(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), 0o644); err != nil {
		return nil, err
	}
	c.done("made %s, a request for the certificate of %q: sign it where its parent is", path, subject)
	c.tellKey(key)
	return &Requested{path, key.Where(), subject.String()}, nil
}

// subject returns that of NAME.pem if it is there, for a renewal, and otherwise the configured one.
func (i Intermediate) subject() (pkix.Name, error) {
	file := i.Keys.Folder.CertificatePath(i.Name)
	there, err := atomicfile.Exists(file)
	if err != nil || !there {
		return i.Config.Subject, err
	}
	old, err := cadir.ReadCertificate(file)
	if err != nil {
		return pkix.Name{}, err
	}
	return old.Subject, nil
}

// SignIntermediate answers a request from elsewhere, and writes the certificate to a file if out is
// not empty. The certificate is recorded; the authority itself belongs to the folder of the request.
// A request that has been answered gets the same certificate again, unless reissue is set.
func (c *CA) SignIntermediate(ctx context.Context, i Intermediate, csr *x509.CertificateRequest, reissue bool, out string) (*x509.Certificate, error) {
	above, err := c.Service.Parent(ctx, i.Parent)
	if err != nil {
		return nil, err
	}
	parent, err := c.Issuing(ctx, above.Name)
	if err != nil {
		return nil, err
	}
	i.Config.Subject = csr.Subject
	prepared, err := parent.PrepareCA(csr.PublicKey, i.Config, c.now())
	if err != nil {
		return nil, err
	}
	var cert *x509.Certificate
	again := false
	if reissue {
		cert, err = c.Service.IssueAnotherCA(ctx, prepared)
	} else {
		cert, again, err = c.Service.IssueCA(ctx, prepared)
	}
	if err == nil {
		err = WriteIssued(out, cert)
	}
	if err != nil {
		return nil, err
	}
	if again {
		c.done("%q has a certificate already, valid until %s, which is written again; --reissue makes another", cert.Subject, until(cert))
	} else {
		c.done("signed the intermediate CA %q, serial %s, valid until %s", cert.Subject, ca.SerialHex(cert), until(cert))
	}
	return cert, nil
}
