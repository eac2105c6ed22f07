package certinfo

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"kedge/ca/ledger"
	"kedge/internal/report"
)

// What a stranger has named can neither drive a terminal nor look like another name (CVE-2012-3867).
func TestRequest_escaped(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"web-01":            "web-01",
		"":                  "",
		"w\u0435b-01":       `"w\u0435b-01"`, // a Cyrillic letter
		"web-01\x1b[2K":     `"web-01\x1b[2K"`,
		"\u202e10-bew":      `"\u202e10-bew"`,
		"web-01\u00a0":      `"web-01\u00a0"`,
		"web-01\nweb-02":    `"web-01\nweb-02"`,
		"Gr\u00fcn":         `"Gr\u00fcn"`,
		"web-01\xff":        `"web-01\xff"`,
		`quoted "web-01" \`: `quoted "web-01" \`,
	} {
		r := RequestOf(ledger.Request{ID: make([]byte, 32), Name: name, SANs: []string{"DNS:" + name}, Profile: name})
		var out strings.Builder
		err := RequestListing(nil).Write(&out, report.Text, func(yield func(Request, error) bool) { yield(r, nil) })
		if _, row, _ := strings.Cut(out.String(), "\n"); err != nil || strings.ContainsFunc(row, func(r rune) bool { return r > 126 || r < ' ' && r != '\n' }) || strings.Count(row, "\n") != 1 {
			t.Errorf("%q: %q, %v", name, out.String(), err)
		}
		if got := escaped(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
		if words := r.InWords(); strings.ContainsFunc(words, func(r rune) bool { return r > 126 || r < ' ' }) {
			t.Errorf("%q: %q", name, words)
		}
	}
}

// The state of a request follows from the last decision.
func TestDecidedRequest(t *testing.T) {
	t.Parallel()
	now := time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)
	for want, change := range map[string]func(*ledger.Token){
		"approved": func(*ledger.Token) {},
		"used":     func(t *ledger.Token) { t.Used = 1 },
		"expired":  func(t *ledger.Token) { t.Expires = now },
		"void":     func(t *ledger.Token) { t.Void = true },
		"denied":   func(t *ledger.Token) { t.Revoked = &now },
	} {
		token := ledger.Token{Request: make([]byte, 32), Names: []string{"web-01"}, Uses: 1, At: now, Expires: now.Add(time.Hour)}
		change(&token)
		if got := DecidedRequest(token, now); got.State != want || got.Name != "web-01" {
			t.Errorf("%s: %+v", want, got)
		}
	}
	waits := RequestOf(ledger.Request{Address: netip.MustParseAddr("10.0.0.9"), At: now})
	if waits.State != "waiting" || waits.Address != "10.0.0.9" || waits.Asked != "2031-05-01T12:00:00Z" {
		t.Errorf("%+v", waits)
	}
}
