package ledger

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"kedge/ca"
)

// takeOver is TakeOver that must succeed.
func takeOver(t *testing.T, l *Ledger, o TakeOver) int {
	t.Helper()
	n, err := l.TakeOver(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func listSerials(t *testing.T, l *Ledger, a *authority) map[int64]ca.Revocation {
	t.Helper()
	all, err := l.Revoked(t.Context(), a.cert, noon)
	if err != nil {
		t.Fatal(err)
	}
	serials := map[int64]ca.Revocation{}
	for _, r := range all {
		serials[r.Serial.Int64()] = r
	}
	return serials
}

// TestTakeOver: serial numbers without certificates stay revoked, whether the certificate is
// imported before them or after, and the numbers of CRLs continue.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "Old CA", nil)
		if err := l.Adopt(t.Context(), ca.Issued{Certificate: root.cert, At: noon}, Authority{Name: "ca", State: Active, Issuing: true}); err != nil {
			t.Fatal(err)
		}
		here, later := root.leaf("here"), root.leaf("later")
		mustImport(t, l, imports(root, Import{Issued: ca.Issued{Certificate: here}}))
		then := noon.AddDate(0, -1, 0)
		o := TakeOver{Authority: root.cert, Number: 41, Why: "from openssl", Revoked: []ca.Revocation{
			{Serial: big.NewInt(0x1000), At: then, Reason: ca.KeyCompromise}, {Serial: big.NewInt(0x1001), At: then, Reason: ca.CertificateHold},
			{Serial: here.SerialNumber, At: then, Reason: ca.Superseded}, {Serial: later.SerialNumber, At: then, Reason: ca.CACompromise}}}
		if n := takeOver(t, l, o); n != 4 {
			t.Errorf("%d are revoked now", n)
		}
		mustVerify(t, l)
		before, _, err := l.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n := takeOver(t, l, o); n != 0 {
			t.Errorf("once more: %d are revoked now", n)
		}
		if after, _, err := l.Head(t.Context()); after != before || err != nil {
			t.Errorf("once more: entry %d came after %d, %v", after, before, err)
		}
		if n := takeOver(t, l, TakeOver{Authority: root.cert, Number: 12, Revoked: []ca.Revocation{{Serial: big.NewInt(0x1001), At: noon, Reason: ca.KeyCompromise}}}); n != 1 {
			t.Error("what was on hold is not revoked for good")
		}
		mustImport(t, l, imports(root, Import{Issued: ca.Issued{Certificate: later}}))
		on := listSerials(t, l, root)
		if len(on) != 4 || on[0x1000].Reason != ca.KeyCompromise || !on[0x1000].At.Equal(then) || on[0x1001].Reason != ca.KeyCompromise || on[later.SerialNumber.Int64()].Reason != ca.CACompromise {
			t.Errorf("the next list has %v", on)
		}
		if n, err := l.NextCRL(t.Context(), root.cert); n != 42 || err != nil {
			t.Errorf("the next list has the number %d, %v", n, err)
		}
		c, err := l.LastCRL(t.Context(), root.cert)
		if _, none := errors.AsType[*NotFoundError](err); !none {
			t.Errorf("a list that nobody has: %v, %v", c, err)
		}
		mustVerify(t, l)
	})
}

// TestMayMiss: an adopted CA is reported until the operator states that nothing is missing.
func TestMayMiss(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		own := newAuthority(t, "Own", nil)
		register(t, l, own)
		want := func(what string, n int) {
			t.Helper()
			if names, err := l.MayMiss(t.Context()); err != nil || len(names) != n {
				t.Errorf("%s: %v, %v", what, names, err)
			}
		}
		want("made here", 0)
		takeOver(t, l, TakeOver{Authority: own.cert, Complete: true})
		root := newAuthority(t, "Old CA", nil)
		if err := l.Adopt(t.Context(), ca.Issued{Certificate: root.cert, At: noon}, Authority{Name: "ca", State: Active}); err != nil {
			t.Fatal(err)
		}
		want("adopted", 1)
		takeOver(t, l, TakeOver{Authority: root.cert, Number: 3})
		want("with a number", 1)
		takeOver(t, l, TakeOver{Authority: root.cert, Complete: true})
		want("complete", 0)
		before, _, _ := l.Head(t.Context())
		takeOver(t, l, TakeOver{Authority: root.cert, Complete: true})
		if after, _, _ := l.Head(t.Context()); after != before {
			t.Error("what was said is said again")
		}
		mustVerify(t, l)
	})
}

// TestVerify_takeOver: the rows that follow from a take-over.
func TestVerify_takeOver(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		full(t, l)
		takeOver(t, l, TakeOver{Authority: named(t, l, "Test CA").Certificate, Number: 100, Revoked: []ca.Revocation{{Serial: big.NewInt(0x99), At: noon, Reason: ca.KeyCompromise}}})
		mustVerify(t, l)
		for _, one := range []struct{ text, want string }{
			{"UPDATE revocations SET reason = 4 WHERE seq = 22", "revocations 99: reason is 4; it was written as 1"},
			{"DELETE FROM revocations WHERE seq = 22", "revocations 99: it is missing"},
			{"UPDATE crls SET base = 0 WHERE number = 100", "crls 23: base is 0; it was written as 100"},
			{"DELETE FROM crls WHERE number = 100", "crls 23: it is missing"},
		} {
			if _, err := l.db.ExecContext(t.Context(), one.text); err != nil {
				t.Fatal(err)
			}
			report, err := l.Verify(t.Context(), VerifyOptions{})
			if err != nil || !strings.Contains(fmt.Sprint(report), one.want) {
				t.Errorf("%s: %v, %v\nwant %s", one.text, report, err, one.want)
			}
		}
	})
}
