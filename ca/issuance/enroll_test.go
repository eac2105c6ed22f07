package issuance

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// countedKey is a key that counts its signatures.
type countedKey struct {
	crypto.Signer
	made atomic.Int64
}

func (k *countedKey) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	k.made.Add(1)
	return k.Signer.Sign(random, digest, o)
}

// token makes one for a name.
func (x *testCA) token(id byte, name string, more ...func(*ledger.Token)) ca.Enrollment {
	x.t.Helper()
	token := ledger.Token{ID: bytes.Repeat([]byte{id}, ledger.TokenIDSize), Names: []string{name}, Profile: ca.DefaultProfile().Name(), Uses: 1, At: x.now, Expires: x.now.Add(time.Hour)}
	secret := sha256.Sum256(token.ID)
	token.SecretHash = secret[:]
	for _, change := range more {
		change(&token)
	}
	if err := x.AddTokens(x.t.Context(), []ledger.Token{token}); err != nil {
		x.t.Fatal(err)
	}
	return ca.Enrollment{Proof: ca.ProofToken, Token: token.ID, Secret: secret[:], Address: netip.MustParseAddr("192.0.2.1"), KeyPlace: ca.KeyInFile}
}

// enroll asks for a certificate with a token.
func (x *testCA) enroll(e ca.Enrollment, name string, key crypto.Signer) (*Issued, error) {
	x.t.Helper()
	issuer, err := x.Issuer(x.t.Context(), "")
	if err != nil {
		x.t.Fatal(err)
	}
	token, err := x.Presented(x.t.Context(), e)
	if err != nil {
		return nil, err
	}
	return issuer.Enroll(x.t.Context(), Enrolling{Enrollment: e, Presented: token, Profile: ca.DefaultProfile(), Request: ca.Request{Name: name, Public: key.Public(), Lifetime: time.Hour}})
}

// inLedger returns the ledger's record of a certificate.
func (x *testCA) inLedger(c *x509.Certificate) ledger.Certificate {
	x.t.Helper()
	sum := sha256.Sum256(c.Raw)
	found, err := x.l.Certificate(x.t.Context(), sum[:])
	if err != nil {
		x.t.Fatal(err)
	}
	return found
}

// refusal names what the ledger refused.
func refusal(err error) string {
	if token, ok := errors.AsType[*ledger.TokenError](err); ok {
		return token.Why.String()
	}
	for name, is := range map[string]func(error) bool{
		"held": is[*ledger.HeldError], "denied": is[*ledger.DeniedError], "grace": is[*ledger.GraceError], "clone": is[*ledger.CloneError],
		"ended": is[*ledger.EndedError], "revoked": is[*ledger.RevokedError], "revoked key": is[*ledger.RevokedKeyError], "profile": is[*ca.SubjectError],
	} {
		if is(err) {
			return name
		}
	}
	return fmt.Sprint(err)
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// TestEnroll: a host gets its certificate for a token once, and the same one as often as it asks. What
// is refused leaves the ledger as it was, and a guess does not even reach the CA's key.
func TestEnroll(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	counted := &countedKey{Signer: x.keys[RootName]}
	x.keys[RootName] = counted
	x.Service = x.another()
	key, good := newKey(t), x.token(1, "web-01")
	first, err := x.enroll(good, "web-01", key)
	if err != nil {
		t.Fatal(err)
	}
	if first.Again || first.Enrollment == nil || first.Enrollment.Proof != ca.ProofToken || first.Certificate.Subject.CommonName != "web-01" {
		t.Errorf("%+v", first)
	}
	again, err := x.enroll(good, "web-01", key)
	if err != nil || !again.Again || !again.Certificate.Equal(first.Certificate) {
		t.Errorf("again: %+v, %v", again, err)
	}
	x.token(2, "web-02")
	wrong := func(change func(*ca.Enrollment)) ca.Enrollment {
		e := good
		change(&e)
		return e
	}
	for _, tt := range []struct {
		what   string
		e      ca.Enrollment
		name   string
		key    crypto.Signer
		want   string
		signed int64
	}{
		{"spent", good, "web-01", newKey(t), "was used before", 0},
		{"of another name", x.token(3, "web-03"), "web-04", newKey(t), "is for other names", 1},
		{"of another profile", x.token(4, "web-04", func(t *ledger.Token) { t.Profile = "admin" }), "web-04", newKey(t), "is for another profile", 1},
		{"held", x.token(5, "", func(t *ledger.Token) { t.Names, t.Pattern = nil, "web-*" }), "web-01", newKey(t), "held", 1},
		{"unknown", wrong(func(e *ca.Enrollment) { e.Token = make([]byte, 12) }), "web-01", key, "is not in the ledger", 0},
		{"without a secret", wrong(func(e *ca.Enrollment) { e.Secret = nil }), "web-01", key, "has another secret", 0},
		{"with another secret", wrong(func(e *ca.Enrollment) { e.Secret = make([]byte, 32) }), "web-01", key, "has another secret", 0},
		{"without a token", wrong(func(e *ca.Enrollment) { e.Token, e.Secret = nil, nil }), "web-01", key, "is not in the ledger", 0},
	} {
		seq, _, _ := x.l.Head(t.Context())
		before := counted.made.Load()
		if _, err := x.enroll(tt.e, tt.name, tt.key); refusal(err) != tt.want {
			t.Errorf("%s: %v; want %s", tt.what, err, tt.want)
		}
		if after, _, _ := x.l.Head(t.Context()); after != seq || counted.made.Load()-before != tt.signed {
			t.Errorf("%s: %d entries, %d signatures", tt.what, after-seq, counted.made.Load()-before)
		}
	}
	replaced, err := x.enroll(x.token(6, "web-01", func(t *ledger.Token) { t.Replace = true }), "web-01", newKey(t))
	if err != nil || len(replaced.Ended) != 1 || replaced.Ended[0].Serial != x.inLedger(first.Certificate).Serial {
		t.Errorf("replaced: %+v, %v", replaced, err)
	}
	x.verified()
}

// TestRenew_host: a host renews by its old key, after a lost answer and after expiry within the grace,
// until it is denied, decommissioned or revoked.
func TestRenew_host(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	renew := func(old *x509.Certificate, key crypto.Signer, grace time.Duration) (*Issued, error) {
		issuer, err := x.Issuer(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		return issuer.Renew(t.Context(), Renewal{Old: x.inLedger(old), Renewal: ca.Renewal{Profile: ca.DefaultProfile(), Public: key.Public()},
			Enrollment: &ca.Enrollment{Proof: ca.ProofRenewal, Grace: grace, KeyPlace: ca.KeyInTPM}})
	}
	enrolled, err := x.enroll(x.token(1, "web-01"), "web-01", newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	first, key := enrolled.Certificate, newKey(t)
	second, err := renew(first, key, 0)
	if err != nil || second.Again || second.Enrollment == nil {
		t.Fatalf("%+v, %v", second, err)
	}
	lost, err := renew(first, key, 0)
	if err != nil || !lost.Again || !lost.Certificate.Equal(second.Certificate) {
		t.Errorf("a lost answer: %+v, %v", lost, err)
	}
	if _, err := renew(first, newKey(t), 0); refusal(err) != "clone" {
		t.Errorf("a clone: %v", err)
	}
	x.now = x.now.Add(3 * time.Hour) // each is for an hour
	if _, err := renew(second.Certificate, newKey(t), time.Hour); refusal(err) != "grace" {
		t.Errorf("beyond the grace: %v", err)
	}
	if _, err := renew(first, key, time.Hour); refusal(err) != "grace" {
		t.Errorf("beyond the grace, by the one before: %v", err)
	}
	third, err := renew(second.Certificate, newKey(t), 3*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.DenyRenewal(t.Context(), "web-01", "returned"); err != nil {
		t.Fatal(err)
	}
	if _, err := renew(third.Certificate, newKey(t), 0); refusal(err) != "denied" {
		t.Errorf("denied: %v", err)
	}
	if err := x.AllowRenewal(t.Context(), "web-01"); err != nil {
		t.Fatal(err)
	}
	gone, err := x.Decommission(t.Context(), "web-01", "sold")
	if err != nil || len(gone.Certificates) != 1 || len(gone.Behind) != 1 || gone.Certificates[0].RevokedAt == nil || len(gone.Tokens) != 1 {
		t.Errorf("%+v, %v", gone, err)
	}
	for what, cert := range map[string]*x509.Certificate{"the revoked one": third.Certificate, "the expired one": second.Certificate} {
		if _, err := renew(cert, newKey(t), 1000*time.Hour); refusal(err) != "revoked key" && refusal(err) != "revoked" && refusal(err) != "ended" {
			t.Errorf("%s of a decommissioned host: %v", what, err)
		}
	}
	x.verified()
}

// TestRevokeToken: what a token gave is revoked with it, and the list that must be made is named.
func TestRevokeToken(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	e := x.token(1, "", func(t *ledger.Token) { t.Names, t.Pattern, t.Uses = nil, "web-*", 3 })
	for _, name := range []string{"web-1", "web-2"} {
		if _, err := x.enroll(e, name, newKey(t)); err != nil {
			t.Fatal(err)
		}
	}
	changed, err := x.RevokeToken(t.Context(), e.Token, true, "stolen")
	if err != nil || len(changed.Certificates) != 2 || len(changed.Behind) != 1 || changed.Certificates[0].Reason != ca.PrivilegeWithdrawn {
		t.Errorf("%+v, %v", changed, err)
	}
	if _, err := x.enroll(e, "web-3", newKey(t)); refusal(err) != "was revoked" {
		t.Error(err)
	}
	if crl := x.publish(RootName); crl.Entries != 2 {
		t.Errorf("%d in the list", crl.Entries)
	}
	x.verified()
}

// TestRevokeTokens: none is revoked if one is unknown, and a list is named once however many tokens
// it is for.
func TestRevokeTokens(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	var ids [][]byte
	for n, name := range []string{"web-1", "web-2"} {
		e := x.token(byte(n+1), "", func(t *ledger.Token) { t.Names = []string{name} })
		if _, err := x.enroll(e, name, newKey(t)); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.Token)
	}
	var done [][]byte
	revoked := func(id []byte) { done = append(done, id) }
	unknown := make([]byte, ledger.TokenIDSize)
	if _, err := x.RevokeTokens(t.Context(), append(ids[:2:2], unknown), true, "", revoked); err == nil || len(done) != 0 {
		t.Errorf("%v; revoked %d", err, len(done))
	}
	changed, err := x.RevokeTokens(t.Context(), ids, true, "stolen", revoked)
	if err != nil || len(done) != 2 || len(changed.Certificates) != 2 || len(changed.Behind) != 1 {
		t.Errorf("%+v, %v; revoked %d", changed, err, len(done))
	}
	x.verified()
}
