package issuance_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
)

// takeIn takes in a certificate that the ledger does not know: one that a restore has lost, or one
// that the key of an authority signed past the ledger.
func (w *world) takeIn(sv *server) *operation {
	name := pick(w, slices.Sorted(maps.Keys(w.ref.authorities)))
	authority, err := w.readX509(w.ref.authorities[name].cert)
	if err != nil {
		w.fail("%v", err)
	}
	past := issuance.Past{Certificate: w.lost(authority)}
	if past.Certificate == nil {
		past.Certificate = w.foreign(sv, name, authority)
	}
	if w.rng.IntN(3) == 0 {
		past.Revoked = &ca.Revocation{At: w.clock(sv), Reason: w.reason()}
	}
	cert := past.Certificate
	op := &operation{text: fmt.Sprintf("take in %s, serial %x, of %s, revoked %v", cert.Subject.CommonName, cert.SerialNumber, name, past.Revoked != nil)}
	op.predict = func() {
		op.stages = nil
		sum := sha256.Sum256(cert.Raw)
		known := w.ref.certs[w.ref.prints[string(sum[:])]]
		switch {
		case known == nil:
			op.stages = []stage{{1, func(first int64) { w.addTakenIn(first, past.Revoked) }}}
		case past.Revoked != nil && (!known.revoked || known.reason == ca.CertificateHold && past.Revoked.Reason != ca.CertificateHold):
			op.stages = []stage{{1, func(int64) { known.revoked, known.reason = true, past.Revoked.Reason }}}
		}
	}
	op.run = func(ctx context.Context) error {
		over, err := sv.TakeOver(ctx, name, "", w.segments)
		if err != nil {
			return err
		}
		if err := over.Add(ctx, past); err != nil {
			return err
		}
		_, err = over.Finish(ctx, issuance.PastLists{})
		return err
	}
	return op
}

func (w *world) readX509(seq int64) (*x509.Certificate, error) {
	c, _ := w.read(seq)
	return c.X509()
}

// lost returns a certificate of a host, signed by an authority, that the ledger had before a
// restore; nil: there is none.
func (w *world) lost(authority *x509.Certificate) *x509.Certificate {
	for _, h := range w.hosts {
		for i, cert := range h.certs {
			if w.ref.prints[h.prints[i]] == 0 && cert.CheckSignatureFrom(authority) == nil {
				return cert
			}
		}
	}
	return nil
}

// foreign is a certificate that another program made with the key of an authority.
func (w *world) foreign(sv *server, name string, authority *x509.Certificate) *x509.Certificate {
	w.mutex.Lock()
	key := w.keys[name]
	w.mutex.Unlock()
	from := w.clock(sv).Add(-time.Duration(w.rng.IntN(40)) * time.Hour / 2)
	template := &x509.Certificate{SerialNumber: new(big.Int).SetUint64(w.rng.Uint64() | 1<<63), Subject: pkix.Name{CommonName: pick(w, modelHosts())},
		NotBefore: from, NotAfter: from.Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	public := w.hostKey().Public()
	if len(w.hosts) > 0 && w.rng.IntN(2) == 0 {
		public = pick(w, w.hosts).key.Public()
	}
	der, err := x509.CreateCertificate(rand.Reader, template, authority, public, key)
	if err != nil {
		w.fail("%v", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		w.fail("%v", err)
	}
	return cert
}

// addTakenIn adds an imported leaf to the reference. It is the newest of its name only if none is
// valid from a later time, and it is not revoked permanently beside another. A compromise that a
// CRL has reported is kept.
func (w *world) addTakenIn(seq int64, revoked *ca.Revocation) {
	w.t.Helper()
	_, c := w.read(seq)
	if revoked != nil {
		c.revoked, c.reason = true, revoked.Reason
	}
	if then, listed := w.ref.serials[c.issuer][c.serial]; listed {
		if !c.revoked || c.reason == ca.CertificateHold || then == ca.KeyCompromise || then == ca.CACompromise {
			c.revoked, c.reason = true, then
		}
		delete(w.ref.serials[c.issuer], c.serial)
	}
	late := false
	for _, l := range w.ref.lineages {
		late = late || l.name == c.name && (w.ref.certs[l.newest].notBefore.After(c.notBefore) || c.revoked && c.reason != ca.CertificateHold)
	}
	if late { // in the lineage of its key, or in one of its own that has ended
		c.lineage = w.ref.lineageOf(c)
		w.ref.certs[seq] = c
		return
	}
	w.ref.addLeaf(c, nil)
}
