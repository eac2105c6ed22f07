package ledger

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"kedge/ca"
)

// imports makes what Import takes.
func imports(a *authority, all ...Import) []Import {
	for i := range all {
		all[i].Issuer, all[i].At = a.cert, noon
	}
	return all
}

func mustImport(t *testing.T, l *Ledger, all []Import) Imported {
	t.Helper()
	done, err := l.Import(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func mustVerify(t *testing.T, l *Ledger) {
	t.Helper()
	report, err := l.Verify(t.Context(), VerifyOptions{})
	if err != nil || !report.OK() {
		t.Errorf("verify: %v, %v", report, err)
	}
}

// TestImport_newest: whatever the order in which certificates are taken in, the one that is valid
// from the latest time is the newest of its name, also beside those that this CA issued.
func TestImport_newest(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "Test CA", nil)
		register(t, l, root)
		newest, middle, oldest := root.leaf("web", valid(-time.Hour, time.Hour)), root.leaf("web", valid(-2*time.Hour, time.Hour)), root.leaf("web", valid(-3*time.Hour, time.Hour))
		mustImport(t, l, imports(root, Import{Issued: ca.Issued{Certificate: middle}}, Import{Issued: ca.Issued{Certificate: newest}}))
		mustImport(t, l, imports(root, Import{Issued: ca.Issued{Certificate: oldest}}))
		checkNewest(t, l, newest.Raw)
		mustVerify(t, l)

		ours := root.leaf("web")
		add(t, l, ca.Issued{Certificate: ours})
		mustImport(t, l, imports(root, Import{Issued: ca.Issued{Certificate: root.leaf("web", valid(-90*time.Minute, time.Hour))}}))
		checkNewest(t, l, ours.Raw)
		mustVerify(t, l)
	})
}

// checkNewest wants one certificate to be the one that may be renewed, and no other.
func checkNewest(t *testing.T, l *Ledger, want []byte) {
	t.Helper()
	for c, err := range l.List(t.Context(), Filter{Kind: Leaf}) {
		if err != nil {
			t.Fatal(err)
		}
		newest, err := l.Newest(t.Context(), c)
		if bytes.Equal(c.DER, want) {
			if err != nil || newest.Seq != c.Seq {
				t.Errorf("certificate %d: the newest is %d, %v", c.Seq, newest.Seq, err)
			}
			continue
		}
		if ended, ok := errors.AsType[*EndedError](err); !ok || ended.By == nil || !bytes.Equal(ended.By.DER, want) {
			t.Errorf("certificate %d may go on: %v, %v", c.Seq, newest.Seq, err)
		}
	}
}
