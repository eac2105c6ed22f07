package main

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/internal/cli"
)

// TestRevoke_asked: the question names the certificates; a no changes nothing.
func TestRevoke_asked(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	hosts := x.mkdir("hosts")
	x.run("init", "--no-password")
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		x.run("issue", name, "--out", hosts)
	}
	var asked string
	answer := false
	h := newHost(cli.Streams{Out: new(strings.Builder), Err: new(strings.Builder)})
	h.inputs.Now, h.confirm = func() time.Time { return x.now }, func(question string) (bool, error) { asked = question; return answer, nil }
	o := &revokeOptions{caOptions: caOptions{host: h, store: storeFlags{dir: x.path("ca")}}}
	o.selectors.hosts = []string{"*"}
	if err := o.selectors.set(nil); err != nil {
		t.Fatal(err)
	}
	if err := changing(runRevoke)(t.Context(), o); !errors.Is(err, errDeclined) {
		t.Errorf("declined: %v", err)
	}
	if !strings.HasPrefix(asked, `revoke 6 certificates: "CN=a" (serial `) || !strings.HasSuffix(asked, " and 1 more?") {
		t.Errorf("asked %q", asked)
	}
	if out := x.run("list", "--state", "revoked"); out != "" {
		t.Errorf("declined, and revoked: %s", out)
	}
	answer = true
	if err := changing(runRevoke)(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if out := x.run("list", "--state", "revoked"); strings.Count(out, "revoked") != 6 {
		t.Errorf("agreed: %s", out)
	}
}

// TestRevoke_probe: the certificate of a probe has the name of a host. One host is revoked without a question as before,
// and is shown; what expires has no probes.
func TestRevoke_probe(t *testing.T) {
	t.Parallel()
	x, _ := newRehearsalAt(t, nil)
	x.describe(backupRoles)
	x.run("issue", "web-01", "--out", x.mkdir("hosts"), "--lifetime", "20h")
	x.run("aws", "up", "--yes")
	if got := x.run("show", "web-01"); !strings.Contains(got, "leaf") {
		t.Errorf("not the host is shown: %s", got)
	}
	if got := x.run("expiring", "--csv"); strings.Count(got, "CN=web-01") != 1 {
		t.Errorf("what expires: %s", got)
	}
	if got := x.run("expiring", "--kind", "probe", "--csv"); strings.Count(got, "CN=web-01") != 1 {
		t.Errorf("the probes that expire: %s", got)
	}
	x.run("revoke", "web-01") // without --yes
	if got := x.run("list", "--state", "revoked", "--csv"); strings.Count(got, "CN=web-01") != 2 {
		t.Errorf("revoked: %s", got)
	}
}

// TestNewRevoke: what the command line makes of the options.
func TestNewRevoke(t *testing.T) {
	t.Parallel()
	const hash = "5a0f1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8"
	tests := []struct {
		args   string
		reason ca.Reason
		want   []issuance.Selector // without those of words
		words  int
	}{
		{"web-01", ca.Unspecified, nil, 1},
		{"web-01 web-02 --reason KeyCompromise", ca.KeyCompromise, nil, 2},
		{"--serial 0A:0b", ca.Unspecified, []issuance.Selector{{Text: "0A:0b", Queries: []issuance.Query{{Kind: issuance.BySerial, Value: "0a0b"}}, Precise: true}}, 0},
		{"--fingerprint " + hash, ca.Unspecified, []issuance.Selector{{Text: hash, Queries: []issuance.Query{{Kind: issuance.ByFingerprint, Value: hash}}, Precise: true}}, 0},
		{"--file web.pem", ca.Unspecified, []issuance.Selector{{Text: "web.pem", Queries: []issuance.Query{{Kind: issuance.ByFile, Value: "web.pem"}}, Precise: true}}, 0},
		{"--subject web-*", ca.Unspecified, []issuance.Selector{{Text: "web-*", Queries: []issuance.Query{{Kind: issuance.BySubject, Value: "web-*"}}}}, 0},
		{"--subject CN=a --host b", ca.Unspecified, []issuance.Selector{{Text: "CN=a", Queries: []issuance.Query{{Kind: issuance.BySubject, Value: "CN=a"}}}, {Text: "b", Queries: []issuance.Query{{Kind: issuance.ByHost, Value: "b"}}}}, 0},
	}
	for _, tt := range tests {
		var got *revokeOptions
		cmd := newRevoke(host{}, func(_ context.Context, o *revokeOptions) error { got = o; return nil })
		cmd.SetArgs(strings.Fields(tt.args))
		if err := cmd.ExecuteContext(t.Context()); err != nil || got.reason != tt.reason {
			t.Errorf("%s: %v, %v", tt.args, err, got)
			continue
		}
		for _, word := range got.selectors.all[:tt.words] {
			if !word.Word || word.Precise || len(word.Queries) == 0 {
				t.Errorf("%s: %+v", tt.args, word)
			}
		}
		if rest := got.selectors.all[tt.words:]; len(rest) != len(tt.want) || len(rest) > 0 && !reflect.DeepEqual(rest, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.args, rest, tt.want)
		}
	}
}
