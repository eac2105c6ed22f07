package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/filelock"
)

// issuer makes keys and certificates for names, and their files. Its methods may be called
// from several goroutines.
type issuer struct {
	authority *ca.Authority
	ledger    *ledger.Ledger
	now       func() time.Time
	form      formFlags
	lock      string // the file that is locked to renew: the authority's key
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

// patience bounds how long is waited for another process that works on the same name: longer
// than that one waits for the ledger.
const patience = 30 * time.Second

// draft is a key and what is to be issued for it.
type draft struct {
	key      crypto.Signer
	prepared *ca.Prepared
	at       time.Time
	made     bool // the key, just now
}

// issue makes the key, the certificate and the files of an order.
//
// The key is written before anything is issued, and NAME.pem last of all. So a key without
// NAME.pem is what an interrupted run left, or what another process works on at this moment.
// Whoever has the lock of NAME.key takes its certificate from the ledger, and issues only if it
// is not there.
func (i *issuer) issue(ctx context.Context, o order) (issued, error) {
	resume, err := o.files.interrupted()
	if err != nil {
		return issued{}, err
	}
	var d *draft
	if !resume {
		if d, err = i.newKey(o); err != nil && !errors.Is(err, fs.ErrExist) {
			return issued{}, err
		}
	}
	unlock, err := filelock.Lock(ctx, o.files.Key, patience)
	if d == nil && errors.Is(err, fs.ErrNotExist) && vacant(o.files.Key) == nil { // another process took its key back
		return i.issue(ctx, o)
	}
	if err != nil {
		return issued{}, err
	}
	defer unlock()
	if there, err := exists(o.files.Certificate); err != nil || there {
		return issued{}, errors.Join(err, vacant(o.files.Key))
	}
	if d == nil {
		if d, err = i.oldKey(o); err != nil {
			return issued{}, err
		}
	}
	return i.carryOut(ctx, o, d)
}

// newKey makes a key, and writes it if a certificate can be issued for it.
func (i *issuer) newKey(o order) (*draft, error) {
	key, der, err := o.key.generate()
	if err != nil {
		return nil, err
	}
	defer clear(der)
	d, err := i.draft(o, key)
	if err != nil {
		return nil, err
	}
	d.made = true
	if err := os.MkdirAll(filepath.Dir(o.files.Key), 0o700); err != nil {
		return nil, err
	}
	if err := atomicfile.Create(o.files.Key, keyPEM(der), 0o600); err != nil {
		return nil, err
	}
	return d, nil
}

// oldKey takes the key that is there.
func (i *issuer) oldKey(o order) (*draft, error) {
	key, err := readPlainKey(o.files.Key)
	if err != nil {
		return nil, err
	}
	return i.draft(o, key)
}

func (i *issuer) draft(o order, key crypto.Signer) (*draft, error) {
	prepared, at, err := i.prepare(o, key.Public())
	return &draft{key: key, prepared: prepared, at: at}, err
}

// carryOut issues for a key that nobody else works on, unless that was done.
func (i *issuer) carryOut(ctx context.Context, o order, d *draft) (issued, error) {
	found, ok, err := i.find(ctx, d.prepared.Certificate().Subject.CommonName, d.key.Public())
	if err != nil {
		return issued{}, err
	}
	if ok {
		return i.write(o, d.key, issued{Issued: found, resumed: true}, atomicfile.WriteAll)
	}
	cert, err := d.prepared.Issue(ctx, i.ledger)
	if err != nil {
		if d.made && !unsure(err) {
			err = errors.Join(err, os.Remove(o.files.Key))
		}
		return issued{}, err
	}
	to := atomicfile.WriteAll
	if d.made {
		to = atomicfile.CreateAll
	}
	return i.write(o, d.key, issued{Issued: o.record(cert, d.at)}, to)
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
