package hostcert

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/hostfiles"
)

// renewal is a certificate to be replaced by one with the same names.
type renewal struct {
	renewer *Renewer
	cert    *x509.Certificate
	record  ledger.Certificate // of cert
	profile *ca.Profile
	files   hostfiles.Paths
	inFile  bool // cert comes from files.Certificate
}

// readFile reads the certificate of the file, which must be in the ledger.
func (r *renewal) readFile(ctx context.Context) error {
	cert, err := hostfiles.ReadCertificate(r.files.Certificate)
	if err != nil {
		return err
	}
	r.cert = cert
	sum := r.fingerprint()
	if r.record, err = r.renewer.Ledger.Certificate(ctx, sum[:]); err != nil {
		return fmt.Errorf("%s: %w", r.files.Certificate, err)
	}
	return nil
}

func (r *renewal) fingerprint() [sha256.Size]byte { return sha256.Sum256(r.cert.Raw) }

// readLedger reads the newest certificate of a name from the ledger. Its files have the names that
// Make gives them.
func (r *renewal) readLedger(ctx context.Context, text string) error {
	filter, err := r.renewer.Service.Lookup(ctx, text, ledger.Filter{Kind: ledger.Leaf})
	if err != nil {
		return err
	}
	var newest ledger.Certificate
	for c, err := range r.renewer.Ledger.List(ctx, filter) {
		if err != nil {
			return err
		}
		newest = c
	}
	return r.takeRecord(newest)
}

// takeRecord parses a certificate of the ledger.
func (r *renewal) takeRecord(c ledger.Certificate) (err error) {
	r.record = c
	if r.cert, err = c.X509(); err != nil {
		return err
	}
	if r.files, err = hostfiles.In(r.renewer.Out, r.record.CommonName); err != nil {
		return err
	}
	if r.files.Key = ""; r.renewer.Format.PKCS12 {
		return fmt.Errorf("--pkcs12: the key of %q is not in %s", r.record.CommonName, r.renewer.Out)
	}
	return nil
}

// check refuses certificates that must not be renewed.
func (r *renewal) check() (err error) {
	what := r.files.Certificate
	switch state := r.record.State(r.renewer.Now()); {
	case r.record.Kind != ledger.Leaf:
		return &NotRenewedError{what, "it is the certificate of a CA; name it with --authority", true}
	case state == ledger.Revoked || state == ledger.Held || r.record.RevokedAt != nil:
		return &NotRenewedError{what, "it is revoked: " + r.record.Reason.String(), false}
	}
	if r.profile, err = r.renewer.Profile(r.record); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// carryOut renews or rekeys a planned target under the lock of its files. A target from the ledger
// alone needs no lock: the ledger has one newest certificate.
func (r *Renewer) carryOut(ctx context.Context, i *Issuer, t target) (Result, error) {
	if t.inFile {
		unlock, err := hostfiles.Lock(ctx, t.files)
		if err != nil {
			return Result{}, err
		}
		defer unlock()
	}
	one, err := r.read(ctx, t)
	if err == nil {
		err = one.check()
	}
	if err != nil {
		return Result{}, err
	}
	done := one.fingerprint() != t.planned // another process has replaced the certificate
	if r.NewKey != nil {
		return one.rekey(ctx, i, done)
	}
	return one.renew(ctx, i, done)
}

// renew issues a certificate for the same key, unless that was done before.
func (r *renewal) renew(ctx context.Context, i *Issuer, done bool) (Result, error) {
	key, err := r.keyInFile(i) // before a certificate is issued that could not be written
	if err != nil {
		return Result{}, err
	}
	issued := r.again()
	if !done {
		if issued, err = r.issue(ctx, i, r.cert.PublicKey); err != nil {
			return Result{}, err
		}
	}
	return r.rewrite(i, issued, key)
}

// keyInFile reads the key that a PKCS#12 needs; else it is nil.
func (r *renewal) keyInFile(i *Issuer) (crypto.Signer, error) {
	if !i.Format.PKCS12 {
		return nil, nil
	}
	key, err := hostfiles.ReadKey(r.files.Key)
	if err == nil && !ca.SameKey(key.Public(), r.cert.PublicKey) {
		err = fmt.Errorf("--pkcs12: %s is not the key of %s", r.files.Key, r.files.Certificate)
	}
	return key, err
}

// rekey creates a new key beside the old one, issues a certificate for it, and replaces both.
func (r *renewal) rekey(ctx context.Context, i *Issuer, done bool) (Result, error) {
	key, err := hostfiles.ResumeReplacement(r.files)
	if errors.Is(err, fs.ErrNotExist) {
		if done {
			return r.rekeyed(i)
		}
		key, err = r.newKey()
	}
	if err != nil {
		return Result{}, err
	}
	issued := r.again()
	if !ca.SameKey(key.Public(), r.cert.PublicKey) { // else the file has the new certificate already
		if issued, err = r.issue(ctx, i, key.Public()); err != nil {
			if !issuance.MayBeRecorded(err) {
				err = errors.Join(err, key.Withdraw())
			}
			return Result{}, err
		}
	}
	written, stale, err := key.Finish(i.certificates(issued.Certificate), i.Format)
	result := renewed(issued, written, stale)
	if key.Resumed {
		result.Leftover = key.Path()
	}
	return result, err
}

// rekeyed writes the other files of a key and certificate that another process has replaced.
func (r *renewal) rekeyed(i *Issuer) (Result, error) {
	key, err := r.keyInFile(i)
	if err != nil {
		return Result{}, err
	}
	return r.rewrite(i, r.again(), key)
}

// again returns the certificate in the file as one that was issued before.
func (r *renewal) again() issuance.Issued {
	return issuance.Issued{Again: true, Issued: ca.Issued{
		Certificate: r.cert, Profile: r.record.Profile, Host: r.record.Host, Why: r.record.Why, Replaces: r.record.Replaces, At: r.record.IssuedAt,
	}}
}

func (r *renewal) newKey() (*hostfiles.Replacement, error) {
	generate, err := r.renewer.NewKey(r.profile)
	if err != nil {
		return nil, err
	}
	return hostfiles.NewReplacement(r.files, generate)
}

// rewrite replaces the files that go with the existing key.
func (r *renewal) rewrite(i *Issuer, issued issuance.Issued, key crypto.Signer) (Result, error) {
	written, stale, err := hostfiles.Replace(r.files, i.certificates(issued.Certificate), i.Format, key)
	return renewed(issued, written, stale), err
}

// renewed returns the result, with a warning if a PKCS#12 was not written.
func renewed(issued issuance.Issued, written hostfiles.Paths, stale string) Result {
	r := newResult(issued, written)
	if stale != "" {
		r.Warnings = append(r.Warnings, stale+" still holds the old certificate; write it again with --pkcs12")
	}
	return r
}

// issue renews for a key, or returns the certificate that was issued before.
func (r *renewal) issue(ctx context.Context, i *Issuer, public crypto.PublicKey) (issuance.Issued, error) {
	terms := r.renewer.Terms
	terms.Profile, terms.Public, terms.Host = r.profile, public, r.record.Host
	issued, err := i.Renew(ctx, issuance.Renewal{Old: r.record, Renewal: terms})
	if err != nil {
		return issuance.Issued{}, err
	}
	return *issued, nil
}
