package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"kedge/ca/ledger"
	"kedge/internal/cli"
)

// TestRestore_tokens: who restores a ledger is told how many tokens hosts can no longer use, without those
// that have expired or were revoked.
func TestRestore_tokens(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	x.run("init", "--no-password")
	x.change(func(l *ledger.Ledger) error {
		var all []ledger.Token
		for i, life := range []time.Duration{time.Hour, time.Hour, time.Minute, time.Hour} {
			all = append(all, ledger.Token{ID: bytes.Repeat([]byte{byte(i)}, ledger.TokenIDSize), SecretHash: make([]byte, 32), Names: []string{fmt.Sprint("web-", i)},
				Profile: "workload", Uses: 1, At: x.now, Expires: x.now.Add(life)})
		}
		if err := l.AddTokens(t.Context(), all); err != nil {
			return err
		}
		_, err := l.RevokeToken(t.Context(), all[0].ID, false, "")
		return err
	})
	x.run("ledger", "backup", x.path("copy.db"))
	if err := os.Remove(x.path("ca/ledger.db")); err != nil {
		t.Fatal(err)
	}
	x.now = x.now.Add(10 * time.Minute)
	code, _, stderr := x.try("ledger", "restore", x.path("copy.db"), "--yes")
	if code != cli.ExitDone || strings.Count(stderr, "tokens that were made before are void, since the backup does not know how often they were used: 2; make new ones") != 1 {
		t.Errorf("exit %d: %s", code, stderr)
	}
	x.run("ledger", "verify")
}
