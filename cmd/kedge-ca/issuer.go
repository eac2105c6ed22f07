package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/hostfiles"
)

// issuer makes keys and certificates for names, and their files. Its methods may be called
// from several goroutines.
type issuer struct {
	*issuance.Issuer
	form     formFlags
	recorded func() // called when a certificate is in the ledger; may be nil
}

// issueRequest is what is wanted for one name.
type issueRequest struct {
	request ca.Request // without the key
	profile *ca.Profile
	key     keyKind
	files   identityFiles
}

// issued is what came of a request.
type issued struct {
	issuance.Issued
	files    identityFiles
	warnings []string
	leftover string // the path of a key that was not made by this run
}

// lockTimeout bounds the wait for another process that works on the same name: longer than the
// wait for the ledger.
const lockTimeout = 30 * time.Second

// issue makes the key, the certificate and the files of a request. For a key that an interrupted
// run left, the ledger may have the certificate.
func (i *issuer) issue(ctx context.Context, r issueRequest) (issued, error) {
	var leaf *issuance.Leaf
	key, err := hostfiles.Begin(ctx, r.files, func() (crypto.Signer, []byte, error) {
		key, der, err := r.key.Generate()
		if err == nil {
			leaf, err = i.prepare(r, key.Public())
		}
		return key, der, err
	})
	if err != nil {
		return issued{}, err
	}
	defer key.Close()
	if key.Resumed {
		if leaf, err = i.prepare(r, key.Public()); err != nil {
			return issued{}, err
		}
	}
	result, err := leaf.Issue(ctx)
	if err != nil {
		if !unsure(err) {
			err = errors.Join(err, key.Withdraw())
		}
		return issued{}, err
	}
	return i.write(r, key, issued{Issued: *result})
}

// unsure reports whether the certificate may have been recorded all the same. Then the key must
// stay, so that the next run finds it.
func unsure(err error) bool {
	_, gone := errors.AsType[*ledger.UnreachableError](err)
	return gone || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (i *issuer) prepare(r issueRequest, public crypto.PublicKey) (*issuance.Leaf, error) {
	request := r.request
	request.Public, request.Once = public, true
	return i.Prepare(r.profile, request)
}

// write makes the files but for the key.
func (i *issuer) write(r issueRequest, key *hostfiles.Pending, result issued) (_ issued, err error) {
	if i.recorded != nil {
		i.recorded()
	}
	if key.Resumed {
		result.leftover = r.files.Key
	}
	if result.files, err = key.Write(certificatesOf(result.Certificate, i.Authority()), i.form.format()); err != nil {
		return issued{}, err
	}
	if r.request.Lifetime > 0 && !result.Again && result.At.Add(r.request.Lifetime).Sub(result.Certificate.NotAfter) >= time.Second { // certificates have whole seconds
		result.warnings = append(result.warnings, fmt.Sprintf("%s is valid until %s only, when the CA itself ends", r.files.Certificate, rfc3339(result.Certificate.NotAfter)))
	}
	result.warnings = append(result.warnings, endedWarnings(result.Issued)...)
	return result, nil
}

// endedWarnings name the certificates that the same name has with other keys.
func endedWarnings(i issuance.Issued) []string {
	const shown = 3
	var all []string
	for n, c := range i.Ended {
		if n == shown {
			all = append(all, fmt.Sprintf("%q has %d more valid certificates with other keys; kedge-ca who %s lists them", c.CommonName, len(i.Ended)-n, c.CommonName))
			break
		}
		all = append(all, fmt.Sprintf("%q has another key now: its certificate with serial %s, valid until %s, can no longer be renewed; if its key is out of use: kedge-ca revoke --serial %s", c.CommonName, c.Serial, rfc3339(c.NotAfter), c.Serial))
	}
	return all
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
