package main

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
	"kedge/internal/atomicfile"
	"kedge/internal/cadir"
	"kedge/internal/certinfo"
	"kedge/internal/filelock"
	"kedge/internal/hostfiles"
)

// renewal is a certificate that is to be replaced by one with the same names.
type renewal struct {
	options *renewOptions
	cert    *x509.Certificate
	record  ledger.Certificate // of cert
	profile *ca.Profile
	files   identityFiles
	inFile  bool // cert comes from files.Certificate
}

// readFile takes the certificate of the file, which must be in the ledger.
func (r *renewal) readFile(ctx context.Context, l *ledger.Ledger) error {
	cert, err := hostfiles.ReadCertificate(r.files.Certificate)
	if err != nil {
		return err
	}
	r.cert = cert
	sum := sha256.Sum256(cert.Raw)
	if r.record, err = l.Certificate(ctx, sum[:]); err != nil {
		return fmt.Errorf("%s: %w", r.files.Certificate, err)
	}
	return nil
}

// readLedger takes the newest certificate that goes by a name. Its files have the name that
// issue gives them.
func (r *renewal) readLedger(ctx context.Context, s *store, text string) error {
	if r.options.rekey {
		return fmt.Errorf("%s: %w", r.options.out, &issuance.NoMatchError{Text: text})
	}
	filter, err := s.service.Lookup(ctx, text, ledger.Filter{Kind: ledger.Leaf})
	if err != nil {
		return err
	}
	var newest ledger.Certificate
	for c, err := range s.ledger.List(ctx, filter) {
		if err != nil {
			return err
		}
		newest = c
	}
	return r.takeRecord(newest)
}

// takeRecord takes a certificate of the ledger.
func (r *renewal) takeRecord(c ledger.Certificate) (err error) {
	r.record = c
	if r.cert, err = c.X509(); err != nil {
		return err
	}
	if r.files, err = hostfiles.In(r.options.out, r.record.CommonName); err != nil {
		return err
	}
	if r.files.Key = ""; r.options.form.pkcs12 {
		return fmt.Errorf("--pkcs12: the key of %q is not in %s", r.record.CommonName, r.options.out)
	}
	return nil
}

// carryOut renews or rekeys with this authority, while no other process works on the files. What
// is renewed from the ledger alone needs no lock: the ledger has one newest certificate.
func (r *renewal) carryOut(ctx context.Context, i *issuer) (issued, error) {
	if r.inFile {
		unlock, err := r.lock(ctx)
		if err != nil {
			return issued{}, err
		}
		defer unlock()
	}
	done, err := r.lookAgain(ctx)
	if err != nil {
		return issued{}, err
	}
	if r.options.rekey {
		return r.rekey(ctx, i, done)
	}
	return r.renew(ctx, i, done)
}

// lock keeps other processes from the files of the name: by the key, as issue does, or by the
// certificate where the key is elsewhere.
func (r *renewal) lock(ctx context.Context) (unlock func(), err error) {
	path := r.files.Key
	there, err := atomicfile.Exists(path)
	if err != nil {
		return nil, err
	}
	if !there {
		path = r.files.Certificate
	}
	return filelock.Lock(ctx, path, lockTimeout)
}

// lookAgain reports whether another process put a new certificate in the place of the old one
// since that was read.
func (r *renewal) lookAgain(ctx context.Context) (done bool, err error) {
	if !r.inFile {
		return false, nil
	}
	cert, err := hostfiles.ReadCertificate(r.files.Certificate)
	if err != nil || cert.Equal(r.cert) {
		return false, err
	}
	return true, r.readFile(ctx, r.options.opened.ledger)
}

// renew issues a certificate for the same key, unless that was done before.
func (r *renewal) renew(ctx context.Context, i *issuer, done bool) (result issued, err error) {
	key, err := r.keyInFile(i) // before something is issued that cannot be written then
	if err != nil {
		return issued{}, err
	}
	if done {
		result = r.again()
	} else if result, err = r.issue(ctx, i, r.cert.PublicKey); err != nil {
		return issued{}, err
	}
	return r.rewrite(i, result, key)
}

// keyInFile reads the key that a PKCS#12 needs; else it is nil.
func (r *renewal) keyInFile(i *issuer) (crypto.Signer, error) {
	if !i.form.pkcs12 {
		return nil, nil
	}
	key, err := hostfiles.ReadKey(r.files.Key)
	if err == nil && !cadir.SameKey(key.Public(), r.cert.PublicKey) {
		err = fmt.Errorf("--pkcs12: %s is not the key of %s", r.files.Key, r.files.Certificate)
	}
	return key, err
}

// rekey makes a new key beside the old one, issues for it, and puts both in their places.
func (r *renewal) rekey(ctx context.Context, i *issuer, done bool) (issued, error) {
	key, err := hostfiles.ResumeReplacement(r.files)
	if errors.Is(err, fs.ErrNotExist) {
		if done {
			return r.rekeyed(i)
		}
		key, err = r.newKey()
	}
	if err != nil {
		return issued{}, err
	}
	var result issued
	if cadir.SameKey(key.Public(), r.cert.PublicKey) { // the file is new already
		result = r.again()
	} else if result, err = r.issue(ctx, i, key.Public()); err != nil {
		if !unsure(err) {
			err = errors.Join(err, key.Withdraw())
		}
		return issued{}, err
	}
	if key.Resumed {
		result.leftover = key.Path()
	}
	written, stale, err := key.Finish(certificatesOf(result.Certificate, i.Authority()), i.form.format())
	return result.with(written, stale), err
}

// rekeyed writes what goes with the key and the certificate that another process put in place.
func (r *renewal) rekeyed(i *issuer) (issued, error) {
	key, err := r.keyInFile(i)
	if err != nil {
		return issued{}, err
	}
	return r.rewrite(i, r.again(), key)
}

// again is the result for a certificate that is in its file already.
func (r *renewal) again() issued {
	return issued{Issued: issuance.Issued{Again: true, Issued: ca.Issued{
		Certificate: r.cert, Profile: r.record.Profile, Host: r.record.Host, Why: r.record.Why, Replaces: r.record.Replaces, At: r.record.IssuedAt,
	}}}
}

func (r *renewal) newKey() (*hostfiles.Replacement, error) {
	kind, err := r.options.keys.of(r.profile)
	if err != nil {
		return nil, err
	}
	return hostfiles.NewReplacement(r.files, kind.Generate)
}

// rewrite replaces what goes with the key that is there.
func (r *renewal) rewrite(i *issuer, result issued, key crypto.Signer) (issued, error) {
	written, stale, err := hostfiles.Replace(r.files, certificatesOf(result.Certificate, i.Authority()), i.form.format(), key)
	return result.with(written, stale), err
}

// with adds what was written, and a PKCS#12 that was not.
func (r issued) with(written identityFiles, stale string) issued {
	r.files = written
	if stale != "" {
		r.warnings = append(r.warnings, stale+" still holds the old certificate; write it again with --pkcs12")
	}
	return r
}

// issue renews for a key, or returns what it got before.
func (r *renewal) issue(ctx context.Context, i *issuer, public crypto.PublicKey) (issued, error) {
	result, err := i.Renew(ctx, issuance.Renewal{Old: r.record, Renewal: ca.Renewal{
		Profile: r.profile, Public: public, Lifetime: r.options.lifetime, AllowWarnings: r.options.allow,
		Host: r.record.Host, Why: r.options.why, AllowRevokedKey: r.options.revokedKey,
	}})
	if err != nil {
		return issued{}, err
	}
	return issued{Issued: *result}, nil
}

// renewAuthority renews the certificate of a CA. The ledger has it first, then the file.
func (o *renewOptions) renewAuthority(ctx context.Context, s *store) error {
	path, err := s.service.Path(ctx, o.authority)
	if err != nil {
		return err
	}
	if err := s.service.NotRevoked(ctx, path); err != nil {
		return err
	}
	by := path[len(path)-1]
	if len(path) > 1 {
		by = path[1]
	}
	if _, err := s.Authority(ctx, by.Name); err != nil {
		return err
	}
	plan, err := s.service.PlanAuthorityRenewal(ctx, o.authority, ca.Renewal{Lifetime: o.lifetime, AllowWarnings: o.allow, Why: o.why})
	if err != nil {
		return err
	}
	old := plan.Old
	if plan.Until.Before(old.Certificate.NotAfter) {
		question := fmt.Sprintf("end the authority %q at %s, sooner than now, at %s?", old.Name, rfc3339(plan.Until), rfc3339(old.Certificate.NotAfter))
		if err := o.confirm.ask(o.host, question); err != nil {
			return err
		}
	}
	at := o.inputs.Now()
	cert, err := s.service.RenewAuthority(ctx, plan)
	if err != nil {
		return err
	}
	file := s.flags.certPath(old.Name)
	if err := atomicfile.Write(file, hostfiles.CertificatePEM(cert), 0o644); err != nil {
		return err
	}
	o.say("renewed the authority " + certinfo.InWords(old.Name, cert) + ": " + file)
	if plan.Root {
		o.say("register " + file + " at IAM Roles Anywhere, beside or instead of the old one")
	}
	sum := sha256.Sum256(old.Certificate.Raw)
	if !o.output.json {
		return nil
	}
	return writeIssued(o.Out, nil, []issued{{
		Issued: issuance.Issued{Issued: ca.Issued{Certificate: cert, Why: o.why, Replaces: sum[:], At: at}},
		files:  s.flags.authorityFiles(old.Name),
	}})
}
