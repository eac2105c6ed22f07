package caserver

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"kedge/internal/cadir"
)

// TestTerms_untried: hosts get the role that kedge-ca aws up has built, once a session of it was made. Until then the
// log has the reason.
func TestTerms_untried(t *testing.T) {
	t.Parallel()
	for _, tried := range []bool{false, true} {
		known := new(cadir.Places)
		builtAt(known, "111122223333", "backup", cadir.RoleHosts{})
		const role = "arn:aws:iam::111122223333:role/backup"
		known.All[0].AddUntried([]string{role})
		if tried {
			known.All[0].SetTried(role)
		}
		folder := cadir.Folder{Dir: t.TempDir()}
		if err := folder.WritePlaces(known); err != nil {
			t.Fatal(err)
		}
		settings, err := cadir.ParseSettings(nil)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		terms, err := Config{Folder: folder, Log: slog.New(slog.NewTextHandler(&log, nil))}.terms(settings, nil)
		if err != nil {
			t.Fatal(err)
		}
		given := terms.AWS(certificateOf(t, "web-01")) != nil
		if given != tried || strings.Contains(log.String(), role) == tried {
			t.Errorf("given: %v, tried: %v: %s", given, tried, &log)
		}
	}
}

// TestTerms_hostless: of several roles, those whose hosts are not known are in the log; one alone is for all hosts.
func TestTerms_hostless(t *testing.T) {
	t.Parallel()
	for _, several := range []bool{false, true} {
		known := new(cadir.Places)
		builtAt(known, "111122223333", "backup", cadir.RoleHosts{})
		if several {
			builtAt(known, "444455556666", "reports", cadir.RoleHosts{Names: []string{"web-01"}})
		}
		var log bytes.Buffer
		Config{Log: slog.New(slog.NewTextHandler(&log, nil))}.warnRoles(known)
		if got := strings.Contains(log.String(), "role/backup"); got != several || strings.Contains(log.String(), "role/reports") {
			t.Errorf("several: %t: %s", several, &log)
		}
	}
}
