package localca

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTokenRequest_refuses: what cannot be meant is refused, and the error begins with the flag that
// is wrong.
func TestTokenRequest_refuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		change func(*TokenRequest)
		want   string
	}{
		{func(r *TokenRequest) { r.Uses = 0 }, "--uses: 0 is not between 1 and 100000"},
		{func(r *TokenRequest) { r.Uses = 100_001 }, "--uses: 100001 is not"},
		{func(r *TokenRequest) { r.Lifetime = -time.Hour }, "--ttl: "},
		{func(r *TokenRequest) { r.Lifetime = 367 * 24 * time.Hour }, "--ttl: 367d is not a time up to 366d"},
		{func(r *TokenRequest) { r.Names, r.Uses, r.ByDefault = []string{"web-*"}, 2, true }, "--uses: a token for several hosts needs --ttl"},
		{func(r *TokenRequest) { r.Names, r.Replace = []string{"a", "b"}, true }, "--replace: is for one name"},
		{func(r *TokenRequest) { r.Names, r.Replace = nil, true }, "--replace: is for one name"},
		{func(r *TokenRequest) { r.Names, r.ForKey = []string{"a", "b"}, strings.Repeat("0", 64) }, "--for-key: is for one name"},
		{func(r *TokenRequest) { r.Uses = 2 }, `--uses: several hosts cannot have one name, "web-01"`},
		{func(r *TokenRequest) { r.Names, r.Uses = nil, 2 }, "--uses: the names in a list"},
		{func(r *TokenRequest) { r.Names, r.Replace = []string{"web-*"}, true }, `--replace: "web-*" is a pattern`},
		{func(r *TokenRequest) { r.Names = []string{"web-{x}"} }, `in the pattern "web-{x}"`},
		{func(r *TokenRequest) { r.URL = "http://ca.example.com" }, "--url: "},
		{func(r *TokenRequest) { r.Networks = []string{"10.0.0.0/8", "x"} }, `--network: "x" is not a range`},
		{func(r *TokenRequest) { r.ForKey = "00" }, `--for-key: "00" is not a SHA-256`},
	} {
		r := TokenRequest{Names: []string{"web-01"}, Uses: 1, Lifetime: time.Hour}
		tt.change(&r)
		if _, err := r.Terms(); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %s", r, err, tt.want)
		}
	}
}

func TestTokenRequest_Terms(t *testing.T) {
	t.Parallel()
	r := TokenRequest{
		Names: []string{"web-01"}, Profile: "web", URL: "https://ca.example.com", Uses: 1, Lifetime: time.Minute, ByDefault: true,
		Networks: []string{"10.1.0.0/16", "::1"}, ForKey: strings.Repeat("AB", 32), Replace: true, Why: "new disk",
	}
	terms, err := r.Terms()
	if err != nil || terms.Profile != r.Profile || terms.URL != r.URL || terms.Uses != 1 || terms.Lifetime != time.Minute || !terms.Replace || terms.Why != r.Why || len(terms.ForKey) != 32 {
		t.Errorf("%+v, %v", terms, err)
	}
	var networks []string
	for _, n := range terms.Networks {
		networks = append(networks, n.String())
	}
	if !slices.Equal(networks, []string{"10.1.0.0/16", "::1/128"}) {
		t.Error(networks)
	}
}
