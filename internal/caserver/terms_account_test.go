package caserver

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"kedge/internal/cadir"
)

// TestWithAccount: hosts get the role that kedge-ca aws up has built, once a session of it was made. Until then the
// log has the reason.
func TestWithAccount(t *testing.T) {
	t.Parallel()
	const here, role = "arn:aws:rolesanywhere:eu-west-1:111122223333:", "arn:aws:iam::111122223333:role/backup"
	known := &cadir.AWS{
		TrustAnchor: here + "trust-anchor/6b656467-6500-4000-8000-000000000001", Profile: here + "profile/6b656467-6500-4000-8000-000000000002",
		Roles: map[string]string{"backup": role}, Untried: []string{role},
	}
	for _, want := range []string{"", role} {
		folder := cadir.Folder{Dir: t.TempDir()}
		if want != "" {
			known.SetTried(role)
		}
		if err := folder.WriteAWS(known); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		settings, err := Config{Folder: folder, Log: slog.New(slog.NewTextHandler(&log, nil))}.withAccount(new(cadir.Settings))
		if err != nil || settings.Server.AWS.RoleARN != want || strings.Contains(log.String(), role) != (want == "") {
			t.Errorf("%+v, %v: %s", settings.Server.AWS, err, &log)
		}
	}
}
