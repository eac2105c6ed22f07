package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/hostfiles"
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
	resumed  bool   // a run before was interrupted after it was issued
	leftover string // the path of a key that was not made by this run
}

// patience bounds how long is waited for another process that works on the same name: longer
// than that one waits for the ledger.
const patience = 30 * time.Second

// draft is what is to be issued for a key.
type draft struct {
	prepared *ca.Prepared
	at       time.Time
}

// issue makes the key, the certificate and the files of an order. Whoever has the lock of the key
// takes its certificate from the ledger, and issues only if it is not there.
func (i *issuer) issue(ctx context.Context, o order) (issued, error) {
	var d draft
	key, err := hostfiles.Begin(ctx, o.files, func() (crypto.Signer, []byte, error) {
		key, der, err := o.key.generate()
		if err == nil {
			d.prepared, d.at, err = i.prepare(o, key.Public())
		}
		return key, der, err
	})
	if err != nil {
		return issued{}, err
	}
	defer key.Close()
	if key.Resumed {
		if d.prepared, d.at, err = i.prepare(o, key.Public()); err != nil {
			return issued{}, err
		}
	}
	return i.carryOut(ctx, o, key, d)
}

// carryOut issues for a key that nobody else works on, unless that was done.
func (i *issuer) carryOut(ctx context.Context, o order, key *hostfiles.Pending, d draft) (issued, error) {
	found, ok, err := i.find(ctx, d.prepared.Certificate().Subject.CommonName, key.Public())
	if err != nil {
		return issued{}, err
	}
	if ok {
		return i.write(o, key, issued{Issued: found, resumed: true})
	}
	cert, err := d.prepared.Issue(ctx, i.ledger)
	if err != nil {
		if !unsure(err) {
			err = errors.Join(err, key.Withdraw())
		}
		return issued{}, err
	}
	return i.write(o, key, issued{Issued: o.record(cert, d.at)})
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
func (i *issuer) write(o order, key *hostfiles.Pending, result issued) (_ issued, err error) {
	if i.recorded != nil {
		i.recorded()
	}
	if key.Resumed {
		result.leftover = o.files.Key
	}
	if result.files, err = key.Write(certificatesOf(result.Certificate, i.authority), i.form.format()); err != nil {
		return issued{}, err
	}
	if o.request.Lifetime > 0 && !result.resumed && result.At.Add(o.request.Lifetime).Sub(result.Certificate.NotAfter) >= time.Second { // certificates have whole seconds
		result.warnings = append(result.warnings, fmt.Sprintf("%s is valid until %s only, when the CA itself ends", o.files.Certificate, rfc3339(result.Certificate.NotAfter)))
	}
	return result, nil
}

func (o order) record(cert *x509.Certificate, at time.Time) ca.Issued {
	return ca.Issued{Certificate: cert, Profile: o.profile.Name(), Host: o.request.Host, Why: o.request.Why, At: at}
}

// tell reports what was taken over from a run before, and what to know about the result.
func (r issued) tell(h host, about string) {
	if r.leftover != "" {
		h.say(wentOn(r.leftover))
	}
	for _, warning := range r.warnings {
		h.warn(about + warning)
	}
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }
