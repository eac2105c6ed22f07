package role

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"
)

// TestExpiryWarner: each stage is reported once for each certificate, however often it is checked.
func TestExpiryWarner(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	now := start
	var said []string
	w := &expiryWarner{warn: func(text string) { said = append(said, text) }, now: func() time.Time { return now }}
	leaf := &x509.Certificate{Raw: []byte{1}, NotBefore: start, NotAfter: start.Add(30 * time.Hour)}
	renewed := &x509.Certificate{Raw: []byte{2}, NotBefore: start, NotAfter: start.Add(60 * time.Hour)}
	for _, step := range []struct {
		at   time.Duration
		leaf *x509.Certificate
		want string // empty: nothing
	}{
		{time.Hour, leaf, ""}, {21 * time.Hour, leaf, "in its last third"}, {22 * time.Hour, leaf, ""}, {28 * time.Hour, leaf, "in its last tenth"},
		{29 * time.Hour, leaf, ""}, {31 * time.Hour, nil, "expired at 2026-11-02T06:00:00Z"}, {32 * time.Hour, leaf, ""}, {33 * time.Hour, renewed, ""},
		{41 * time.Hour, renewed, "in its last third"}, {61 * time.Hour, renewed, "expired"}, {20 * time.Hour, renewed, ""},
	} {
		now, said = start.Add(step.at), nil
		for range 3 {
			w.look(step.leaf)
		}
		text := strings.Join(said, "|")
		if (step.want == "") != (said == nil) || len(said) > 1 || !strings.Contains(text, step.want) {
			t.Errorf("after %s: %q, want %q", step.at, said, step.want)
		}
	}
	(*expiryWarner)(nil).look(leaf)
}
