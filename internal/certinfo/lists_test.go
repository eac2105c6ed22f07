package certinfo

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/report"
)

// sequence yields records, and then an error unless that is nil.
func sequence[T any](err error, records ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
		if err != nil {
			var none T
			yield(none, err)
		}
	}
}

// named collects names of records, and the error.
func named[T any](records iter.Seq2[T, error], name func(T) string) string {
	var all []string
	for r, err := range records {
		if err != nil {
			return strings.Join(append(all, err.Error()), " ")
		}
		all = append(all, name(r))
	}
	return strings.Join(all, " ")
}

// TestTokens: approvals are in the list of requests and tokens in that of tokens, those that can be
// used unless all are asked for.
func TestTokens(t *testing.T) {
	t.Parallel()
	now := time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)
	token := func(name string, used int, request []byte) ledger.Token {
		return ledger.Token{Names: []string{name}, Uses: 1, Used: used, Expires: now.Add(time.Hour), Request: request}
	}
	tokens := []ledger.Token{token("usable", 0, nil), token("approved", 0, []byte{1}), token("spent", 1, nil), token("used", 1, []byte{2})}
	waiting := []ledger.Request{{Name: "waits"}, {Name: "too"}}
	broken := errors.New("broken")
	ofToken, ofRequest := func(d Token) string { return d.Names[0] }, func(d Request) string { return d.Name }
	for _, tt := range []struct{ got, want string }{
		{named(Tokens(sequence(nil, tokens...), false, now), ofToken), "usable"},
		{named(Tokens(sequence(nil, tokens...), true, now), ofToken), "usable spent"},
		{named(Tokens(sequence(broken, tokens...), true, now), ofToken), "usable spent broken"},
		{named(Requests(sequence(nil, tokens...), sequence(nil, waiting...), now), ofRequest), "approved used waits too"},
		{named(Requests(sequence[ledger.Token](nil), sequence(nil, waiting...), now), ofRequest), "waits too"},
		{named(Requests(sequence(broken, tokens...), sequence(nil, waiting...), now), ofRequest), "approved used broken"},
		{named(Requests(sequence(nil, tokens...), sequence(broken, waiting[0]), now), ofRequest), "approved used waits broken"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s, want %s", tt.got, tt.want)
		}
	}
	for range Requests(sequence(nil, tokens...), sequence(nil, waiting...), now) {
		break // a reader that ends early
	}
}

// TestHosts: the late hosts come first, and alone if those are asked for.
func TestHosts(t *testing.T) {
	t.Parallel()
	host := func(name, state string) issuance.Host {
		h := issuance.Host{State: state}
		h.CommonName = name
		return h
	}
	hosts := []issuance.Host{host("a", ledger.Expired), host("b", issuance.Overdue), host("c", ledger.Valid), host("d", ledger.Valid)}
	name := func(d Host) string { return d.Name }
	for _, tt := range []struct{ got, want string }{
		{named(Hosts(sequence(nil, hosts...), false), name), "a b c d"},
		{named(Hosts(sequence(nil, hosts...), true), name), "a b"},
		{named(Hosts(sequence(nil, hosts[2:]...), true), name), ""},
		{named(Hosts(sequence(errors.New("broken"), hosts[:1]...), true), name), "a broken"},
		{named(Hosts(sequence(errors.New("broken"), hosts[2:]...), false), name), "c d broken"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s, want %s", tt.got, tt.want)
		}
	}
}

// TestCertificates: a table is made of the ledger's columns, the other formats of the certificate,
// which must then be one.
func TestCertificates(t *testing.T) {
	t.Parallel()
	certs := someCertificates(2)
	name := func(d Certificate) string { return d.Subject }
	if got := named(Certificates(sequence(nil, certs...), report.Text, time.Now()), name); got != "CN=web-0 CN=web-1" {
		t.Error(got)
	}
	if got := named(Certificates(sequence(errors.New("broken"), certs[0]), report.Text, time.Now()), name); got != "CN=web-0 broken" {
		t.Error(got)
	}
	for _, f := range []report.Format{report.JSON, report.CSV} {
		n := 0
		for _, err := range Certificates(sequence(nil, certs...), f, time.Now()) {
			if n++; err == nil {
				t.Errorf("%v: a certificate was read where there is none", f)
			}
		}
		if n != 1 {
			t.Errorf("%v: %d after an error", f, n)
		}
	}
	found := AllFound([]issuance.Match{{By: issuance.BySerial, Certificate: certs[0]}, {By: issuance.ByHost, Certificate: certs[1]}}, report.Text, time.Now())
	if got := named(found, func(d Found) string { return d.FoundBy + ":" + d.Subject }); got != "serial:CN=web-0 host:CN=web-1" {
		t.Error(got)
	}
}

// TestMadeTokens: the texts are on standard output alone.
func TestMadeTokens(t *testing.T) {
	t.Parallel()
	var all MadeTokens
	for i := range 12 {
		all.Tokens = append(all.Tokens, MadeToken{Token: Token{ID: fmt.Sprint("id", i), Names: []string{"web"}, Uses: 1}, Text: fmt.Sprint("secret", i)})
	}
	if lines := strings.Split(string(all.Lines()), "\n"); len(lines) != 13 || lines[0] != "web\tsecret0" || lines[12] != "" {
		t.Errorf("%q", lines)
	}
	n := all.Notes()
	if len(n) != 11 || n[10] != (report.Note{Label: "done", Text: "made 2 more"}) || !strings.HasPrefix(n[0].Text, "made the token id0 for ") {
		t.Errorf("%q", n)
	}
	if slices.ContainsFunc(n, func(n report.Note) bool { return strings.Contains(n.Text, "secret") }) {
		t.Errorf("a secret is told: %q", n)
	}
}
