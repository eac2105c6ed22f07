package localca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/internal/enrollapi"
)

// withSettings opens the CA with a configuration.
func (x *testCA) withSettings(text string) *CA {
	x.Helper()
	if err := os.WriteFile(x.path(cadir.SettingsName), []byte(text), 0o644); err != nil {
		x.Fatal(err)
	}
	return x.open()
}

const tokenSettings = `server: {url: "https://ca.example.com:8443/pki", tls: system}
default_profile: web
profiles:
  web: {names: ["web-*"], subject: {common_name: "{name}.example.com"}}
  any: {}
  offline: {enroll: {proofs: [renewal]}}
`

// TestMakeTokens: a token leads to the server and names the key of the root, and the ledger has what
// it is for, and a hash of its secret.
func TestMakeTokens(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	root := x.found()
	c := x.withSettings(tokenSettings)
	hosts := []TokenFor{{Name: "web-01"}, {Name: "db 1", Profile: "any"}, {Name: "batch-*", Profile: "any"}}
	terms := TokenTerms{Uses: 1, Lifetime: 2 * time.Hour, Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, ForKey: make([]byte, 32), Why: "rack 7"}
	made, err := c.MakeTokens(t.Context(), hosts, terms)
	if err != nil || len(made) != 3 {
		t.Fatal(made, err)
	}
	pin := sha256.Sum256(root.RawSubjectPublicKeyInfo)
	for i, m := range made {
		token, err := enrollapi.ParseToken(m.String())
		if err != nil || token.URL != "https://ca.example.com:8443/pki" || token.CAKey != pin || !token.SystemRoots {
			t.Errorf("%+v, %v", token, err)
		}
		r, err := c.Service.Token(t.Context(), token.ID[:])
		if err != nil || !bytes.Equal(r.SecretHash, token.Secret.Hash()) || bytes.Contains(r.SecretHash, token.Secret.Bytes()) {
			t.Fatalf("%+v, %v", r, err)
		}
		name, pattern, profile := strings.Join(r.Names, ","), r.Pattern, r.Profile
		if want := [][3]string{{"web-01.example.com", "", "web"}, {"db 1", "", "any"}, {"", "batch-*", "any"}}[i]; [3]string{name, pattern, profile} != want {
			t.Errorf("%q, %q, %q; want %q", name, pattern, profile, want)
		}
		if left := time.Until(r.Expires); r.Uses != 1 || left < time.Hour || left > 2*time.Hour || len(r.Networks) != 1 || len(r.ForKey) != 32 || r.Why != "rack 7" || r.Replace {
			t.Errorf("%+v", r)
		}
	}
}

// TestMakeTokens_batches: of many tokens those are recorded and returned that come before the batch
// which cannot be, and no others.
func TestMakeTokens_batches(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	x.found()
	c := x.withSettings(`server: {url: "https://ca.example.com:8443"}`)
	issuer, err := c.Service.Issuer(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := issuer.Prepare(ca.DefaultProfile(), ca.Request{Name: "held", Host: "held", Public: key.Public()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := leaf.Issue(t.Context()); err != nil {
		t.Fatal(err)
	}
	var hosts []TokenFor
	for i := range tokenBatch + 2 {
		hosts = append(hosts, TokenFor{Name: fmt.Sprintf("host-%d", i)})
	}
	once := TokenTerms{Uses: 1, Lifetime: time.Hour}
	for _, tt := range []struct{ held, made int }{{tokenBatch + 1, tokenBatch}, {tokenBatch - 1, 0}} {
		some := slices.Clone(hosts)
		some[tt.held].Name = "held"
		before := count(t, c)
		made, err := c.MakeTokens(t.Context(), some, once)
		if !is[*ledger.HeldError](err) || len(made) != tt.made || count(t, c)-before != tt.made {
			t.Fatalf("%d made, %d recorded: %v", len(made), count(t, c)-before, err)
		}
		e, ok := errors.AsType[*SomeTokensError](err)
		if ok != (tt.made > 0) || ok && (e.Next != fmt.Sprintf("host-%d", tokenBatch) || !strings.HasPrefix(e.Error(), `5000 of 5002 tokens were made`)) {
			t.Errorf("%v", err)
		}
		for _, m := range made {
			if _, err := c.Service.Token(t.Context(), m.ID[:]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if made, err := c.MakeTokens(t.Context(), hosts, once); err != nil || len(made) != len(hosts) {
		t.Errorf("%d, %v", len(made), err)
	}
}

// count returns how many tokens the ledger has.
func count(t *testing.T, c *CA) (n int) {
	t.Helper()
	for _, err := range c.Ledger.Tokens(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestMakeTokens_refuses(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	x.found()
	c := x.withSettings(tokenSettings)
	once := TokenTerms{Uses: 1, Lifetime: time.Hour}
	for _, tt := range []struct {
		host  TokenFor
		terms TokenTerms
		is    func(error) bool
	}{
		{TokenFor{Name: "db-01"}, once, is[*ca.ProfileError]},
		{TokenFor{Name: "web-01.x"}, once, is[*ca.ProfileError]},
		{TokenFor{Name: "a", Profile: "offline"}, once, is[*NoProofError]},
		{TokenFor{Name: "a-*", Profile: "offline"}, once, is[*NoProofError]},
		{TokenFor{Name: "a", Profile: "nosuch"}, once, is[*cadir.UnknownProfileError]},
		{TokenFor{Name: " ", Profile: "any"}, once, is[error]},
		{TokenFor{Name: "b 03&x", Profile: "any"}, once, is[*ca.LintError]},
		{TokenFor{Name: "b  03", Profile: "any"}, once, is[*ca.LintError]},
		{TokenFor{Name: strings.Repeat("b", 65), Profile: "any"}, once, is[*ca.LintError]},
		{TokenFor{Name: "b&*", Profile: "any"}, once, is[*ca.LintError]},
		{TokenFor{Name: "a-{random}-*", Profile: "any"}, once, is[error]},
		{TokenFor{Name: "a-{random}{random}", Profile: "any"}, once, is[error]},
		{TokenFor{Name: "a-{name}", Profile: "any"}, once, is[error]},
		{TokenFor{Name: "a", Profile: "any"}, TokenTerms{Uses: 1}, is[error]},
		{TokenFor{Name: "a", Profile: "any"}, TokenTerms{Lifetime: time.Hour}, is[error]},
		{TokenFor{Name: "a\x1b[2J", Profile: "any"}, once, is[error]},
	} {
		made, err := c.MakeTokens(t.Context(), []TokenFor{{Name: "web-02"}, tt.host}, tt.terms)
		if err == nil || !tt.is(err) || made != nil || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%+v: %v, %v", tt.host, made, err)
		}
	}
	for token, err := range c.Service.Tokens(t.Context()) {
		t.Errorf("there is %+v, %v", token, err)
	}
	y := newTestCA(t)
	y.found()
	if _, err := y.withSettings("server: {tls: own}\n").MakeTokens(t.Context(), []TokenFor{{Name: "a"}}, once); !is[*NoServerError](err) {
		t.Error(err)
	}
}

func TestParseTokenID(t *testing.T) {
	t.Parallel()
	token, err := enrollapi.NewToken("https://ca.example.com", [32]byte{1}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{token.IDText(), token.String(), " " + token.String() + "\n", strings.ToUpper(token.IDText())} {
		if id, err := ParseTokenID(text); err != nil || hex.EncodeToString(id) != token.IDText() {
			t.Errorf("%x, %v", id, err)
		}
	}
	for _, text := range []string{"", "web-01", token.IDText()[2:], token.IDText() + "00", token.String()[1:], strings.Repeat("z", 2*ledger.TokenIDSize)} {
		if id, err := ParseTokenID(text); err == nil || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %x, %v", text, id, err)
		}
	}
}

func TestParseNetwork(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"10.1.0.0/16": "10.1.0.0/16", "192.0.2.7": "192.0.2.7/32", "2001:db8::/32": "2001:db8::/32", "::1": "::1/128", "::ffff:192.0.2.7": "192.0.2.7/32", "0.0.0.0/0": "0.0.0.0/0",
		"10.1.2.3/16": "", "office": "", "": "", "10.0.0.0/33": "", "fe80::1%eth0": "", "::ffff:10.0.0.0/104": "",
	} {
		if got, err := ParseNetwork(text); (err == nil) != (want != "") || err == nil && got.String() != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestParseKeyHash(t *testing.T) {
	t.Parallel()
	good := strings.Repeat("aB", 32)
	colons := strings.TrimSuffix(strings.Repeat("ab:", 32), ":")
	for text, want := range map[string]bool{good: true, colons: true, good[2:]: false, good + "00": false, "": false, strings.Repeat("zz", 32): false} {
		if hash, err := ParseKeyHash(text); (err == nil) != want || want && hex.EncodeToString(hash) != strings.ToLower(good) {
			t.Errorf("%q: %x, %v", text, hash, err)
		}
	}
}
