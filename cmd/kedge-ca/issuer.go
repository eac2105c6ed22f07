package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
)

// issuer makes keys and certificates for names, and their files. Its methods may be called
// from several goroutines.
type issuer struct {
	authority *ca.Authority
	ledger    *ledger.Ledger
	now       func() time.Time
	form      formFlags
	recorded  func() // called when a certificate is in the ledger; may be nil
}

// order is what is wanted for one name.
type order struct {
	request ca.Request // without the key
	profile *ca.Profile
	key     keyKind
	files   identityFiles
}

// issued is what came of an order.
type issued struct {
	ca.Issued
	files    identityFiles
	warnings []string
	resumed  bool // a run before was interrupted after it was issued
}

// issue makes the key, the certificate and the files of an order.
//
// The key is written before anything is issued, and NAME.pem last of all. So a key without
// NAME.pem is what an interrupted run left: then its certificate is taken from the ledger, and
// issued only if it is not there.
func (i *issuer) issue(ctx context.Context, o order) (issued, error) {
	resume, err := o.files.interrupted()
	if err != nil {
		return issued{}, err
	}
	if resume {
		return i.resume(ctx, o)
	}
	key, der, err := o.key.generate()
	if err != nil {
		return issued{}, err
	}
	defer clear(der)
	prepared, at, err := i.prepare(o, key.Public())
	if err != nil {
		return issued{}, err
	}
	if err := atomicfile.Create(o.files.Key, keyPEM(der), 0o600); err != nil {
		return issued{}, err
	}
	cert, err := prepared.Issue(ctx, i.ledger)
	if err != nil {
		if !unsure(err) {
			err = errors.Join(err, os.Remove(o.files.Key))
		}
		return issued{}, err
	}
	return i.write(o, key, issued{Issued: o.record(cert, at)}, atomicfile.CreateAll)
}

// unsure says whether the certificate may have been recorded all the same. Then the key must
// stay, so that the next run finds it.
func unsure(err error) bool {
	_, gone := errors.AsType[*ledger.UnreachableError](err)
	return gone || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (i *issuer) prepare(o order, public crypto.PublicKey) (*ca.Prepared, time.Time, error) {
	at := i.now()
	request := o.request
	request.Public = public
	prepared, err := i.authority.PrepareLeaf(o.profile, request, at)
	return prepared, at, err
}

// resume goes on with a key that is there.
func (i *issuer) resume(ctx context.Context, o order) (issued, error) {
	key, err := readPlainKey(o.files.Key)
	if err != nil {
		return issued{}, err
	}
	prepared, at, err := i.prepare(o, key.Public())
	if err != nil {
		return issued{}, err
	}
	var result issued
	found, ok, err := i.find(ctx, prepared.Certificate().Subject.CommonName, key.Public())
	switch {
	case err != nil:
		return issued{}, err
	case ok:
		result.Issued, result.resumed = found, true
	default:
		cert, err := prepared.Issue(ctx, i.ledger)
		if err != nil {
			return issued{}, err
		}
		result.Issued = o.record(cert, at)
	}
	return i.write(o, key, result, atomicfile.WriteAll)
}

// find returns the newest valid certificate of a key that this authority issued.
func (i *issuer) find(ctx context.Context, commonName string, public crypto.PublicKey) (found ca.Issued, ok bool, err error) {
	for c, err := range i.ledger.List(ctx, ledger.Filter{Kind: ledger.Leaf, CommonName: commonName, State: ledger.Valid}) {
		if err != nil {
			return found, false, err
		}
		cert, err := c.X509()
		if err != nil {
			return found, false, err
		}
		if sameKey(cert.PublicKey, public) && string(cert.AuthorityKeyId) == string(i.authority.Certificate().SubjectKeyId) && c.ReplacedBy == 0 {
			found, ok = recordOf(c, cert), true
		}
	}
	return found, ok, nil
}

func recordOf(c ledger.Certificate, cert *x509.Certificate) ca.Issued {
	return ca.Issued{Certificate: cert, Profile: c.Profile, Host: c.Host, Why: c.Why, Replaces: c.Replaces, At: c.IssuedAt}
}

// write makes the files but for the key.
func (i *issuer) write(o order, key crypto.Signer, result issued, to func(...atomicfile.File) error) (issued, error) {
	if i.recorded != nil {
		i.recorded()
	}
	files, err := i.form.encode(identity{key: key, cert: result.Certificate, issuer: i.authority}, &o.files)
	if err != nil {
		return issued{}, err
	}
	if err := to(files...); err != nil {
		return issued{}, fmt.Errorf("the certificate is issued, but not written: %w", err)
	}
	result.files = o.files
	if o.request.Lifetime > 0 && !result.resumed && result.At.Add(o.request.Lifetime).Sub(result.Certificate.NotAfter) >= time.Second { // certificates have whole seconds
		result.warnings = append(result.warnings, fmt.Sprintf("%s is valid until %s only, when the CA itself ends", o.files.Certificate, rfc3339(result.Certificate.NotAfter)))
	}
	return result, nil
}

func (o order) record(cert *x509.Certificate, at time.Time) ca.Issued {
	return ca.Issued{Certificate: cert, Profile: o.profile.Name(), Host: o.request.Host, Why: o.request.Why, At: at}
}

// interrupted says whether there is a key without certificate. A certificate without key, or
// with one, is an error, and so is anything else that is in the way.
func (f identityFiles) interrupted() (bool, error) {
	if err := vacant(f.Key); err == nil {
		return false, vacant(f.Certificate, f.Chain)
	}
	if there, err := exists(f.Certificate); err != nil || there {
		return false, errors.Join(err, vacant(f.Key))
	}
	return true, nil
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }
