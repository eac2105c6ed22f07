package issuance

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/testenv"
)

// oldCA is a root that another program made, adopted by a service.
type oldCA struct {
	*testCA
	root *x509.Certificate
	key  crypto.Signer
}

func newOldCA(t *testing.T, usage x509.KeyUsage) *oldCA {
	t.Helper()
	x := newEmpty(t)
	old := &oldCA{testCA: x, key: x.key(RootName)}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Old CA"}, NotBefore: x.now.AddDate(-1, 0, 0), NotAfter: x.now.AddDate(5, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: usage, SubjectKeyId: []byte{1, 2, 3, 4}}
	old.root = old.sign(t, template, template, old.key.Public())
	if err := x.Adopt(t.Context(), old.root, ""); err != nil {
		t.Fatal(err)
	}
	return old
}

func (o *oldCA) sign(t *testing.T, template, issuer *x509.Certificate, public crypto.PublicKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, public, o.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func (o *oldCA) leaf(t *testing.T, serial int64, name string, public crypto.PublicKey) *x509.Certificate {
	t.Helper()
	return o.sign(t, &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: o.now.Add(-time.Duration(serial) * time.Minute),
		NotAfter: o.now.AddDate(0, 6, 0), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, o.root, public)
}

func (o *oldCA) takeOver(t *testing.T, p PastLists, all ...Past) *TakenOver {
	t.Helper()
	over, err := o.TakeOver(t.Context(), RootName, "moved in", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		if err := over.Add(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	done, err := over.Finish(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// TestTakeOver: many certificates, some of them revoked, serial numbers without certificates and
// a list come in; the next list has all that is revoked, and the same again changes nothing.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	old := newOldCA(t, x509.KeyUsageCertSign|x509.KeyUsageCRLSign)
	if missing, err := old.MayMiss(t.Context()); len(missing) != 1 || err != nil {
		t.Errorf("adopted: %v, %v", missing, err)
	}
	const n = 1203
	then := old.now.AddDate(0, -1, 0)
	key := newKey(t).Public()
	var all []Past
	for i := range int64(n) {
		p := Past{Certificate: old.leaf(t, 1000+i, fmt.Sprintf("host-%d", i), key)}
		if i%400 == 0 {
			p.Revoked = &ca.Revocation{At: then, Reason: ca.CessationOfOperation}
		}
		all = append(all, p)
	}
	all = append(all, Past{Serial: big.NewInt(7), Revoked: &ca.Revocation{At: then, Reason: ca.KeyCompromise}},
		Past{Serial: big.NewInt(8), NotAfter: old.now.Add(-time.Hour), Revoked: &ca.Revocation{At: then}},
		Past{Serial: big.NewInt(9), NotAfter: old.now.Add(-time.Hour), Revoked: &ca.Revocation{At: then}})
	list := &x509.RevocationList{Number: big.NewInt(41), ThisUpdate: then, NextUpdate: old.now, Raw: []byte("the old list"),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(9), RevocationTime: then}}}
	lists := PastLists{Lists: []*x509.RevocationList{list}, Number: big.NewInt(50)}
	done := old.takeOver(t, lists, all...)
	if done.Recorded != n || done.Revoked != 6 || done.Ended != 1 || done.NextList != 51 || !done.MayMiss || len(done.Refused) != 0 {
		t.Errorf("%+v", done)
	}
	lists.Complete = true
	if done = old.takeOver(t, lists, all...); done.Recorded != 0 || done.Known != n || done.Revoked != 0 || done.NextList != 51 || done.MayMiss {
		t.Errorf("once more: %+v", done)
	}
	crl, err := old.makeCRL(t.Context(), CRLRequest{Valid: 24 * time.Hour})
	if err != nil || crl.Number != 51 || crl.Entries != 6 {
		t.Errorf("the next list: %+v, %v", crl, err)
	}
	report, err := old.l.Verify(t.Context(), ledger.VerifyOptions{})
	if err != nil || !report.OK() {
		t.Errorf("%v, %v", report, err)
	}
}

// TestTakeOver_serials: a list of 300 kB is in several entries, and nothing of it is lost.
func TestTakeOver_serials(t *testing.T) {
	t.Parallel()
	old := newOldCA(t, x509.KeyUsageCertSign|x509.KeyUsageCRLSign)
	const n = 5003 / (testenv.Slowdown * testenv.Slowdown) // without the race detector more than an entry holds
	var all []Past
	for i := range int64(n) {
		all = append(all, Past{Serial: big.NewInt(1 + i), Revoked: &ca.Revocation{At: old.now.Add(-time.Hour), Reason: ca.Superseded}})
	}
	if done := old.takeOver(t, PastLists{}, all...); done.Revoked != n {
		t.Errorf("%+v", done)
	}
	crl, err := old.makeCRL(t.Context(), CRLRequest{Valid: time.Hour})
	if err != nil || crl.Entries != n {
		t.Errorf("the next list: %v", err)
	}
}

// TestTakeOver_refused: what the ledger cannot take is named, and the rest is taken.
func TestTakeOver_refused(t *testing.T) {
	t.Parallel()
	old := newOldCA(t, x509.KeyUsageCertSign|x509.KeyUsageCRLSign)
	key := newKey(t).Public()
	first, clash := old.leaf(t, 5, "a", key), old.leaf(t, 5, "b", key)
	done := old.takeOver(t, PastLists{Number: new(big.Int).Lsh(big.NewInt(1), 100)}, Past{Certificate: first}, Past{Certificate: clash}, Past{Certificate: old.leaf(t, 6, "c", key)})
	if done.Recorded != 2 || len(done.Refused) != 2 || done.Refused["05"] == "" || done.NextList != 1 {
		t.Errorf("%+v", done)
	}
}

// TestStatus_adopted: status warns until the operator states that nothing is missing, and of what
// the certificate lacks.
func TestStatus_adopted(t *testing.T) {
	t.Parallel()
	old := newOldCA(t, x509.KeyUsageCertSign)
	status := old.status()
	if len(status.Needs) != 1 || !strings.HasPrefix(status.Needs[0], "what ca issued and revoked before it was taken over may be missing here") {
		t.Errorf("%q", status.Needs)
	}
	if !strings.Contains(strings.Join(status.Warnings, "\n"), "(key-usage-crl-sign)") {
		t.Errorf("%q", status.Warnings)
	}
	old.takeOver(t, PastLists{Complete: true})
	if status = old.status(); len(status.Needs) != 0 {
		t.Errorf("%q", status.Needs)
	}
	if own := newCA(t).status(); len(own.Warnings) != 0 {
		t.Errorf("its own root: %q", own.Warnings)
	}
}
