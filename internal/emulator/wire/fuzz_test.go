package wire

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// FuzzAuthorization: what is accepted prints in the documented form, which is accepted as the
// same; and its scope has no more than the five parts.
func FuzzAuthorization(f *testing.F) {
	f.Add("AWS4-X509-RSA-SHA256 Credential=123/20261121/us-east-1/rolesanywhere/aws4_request, SignedHeaders=host;x-amz-date, Signature=00ff")
	f.Add("AWS4-HMAC-SHA256 Signature=00,SignedHeaders=host,Credential=AKIDEXAMPLE/20150830/us-east-1/sts/aws4_request")
	f.Add("AWS4 Credential=a/b/c/d/e,\tSignedHeaders=a;b;b,Signature=0")
	f.Add("Bearer abc")
	f.Fuzz(func(t *testing.T, header string) {
		a, err := ParseAuthorization(header)
		if err != nil {
			return
		}
		again, err := ParseAuthorization(a.String())
		if err != nil {
			t.Fatalf("%q prints as %q: %v", header, a.String(), err)
		}
		if again.String() != a.String() || !slices.Equal(again.SignedHeaders, a.SignedHeaders) || again.Credential != a.Credential {
			t.Errorf("%q becomes %q", a.String(), again.String())
		}
		if strings.Count(a.Credential.Scope(), "/") != 3 || strings.ContainsAny(a.String(), "\r\n") {
			t.Errorf("scope %q", a.Credential.Scope())
		}
	})
}

// FuzzCanonicalQuery: the canonical form is its own canonical form, keeps the parameters, and
// does not depend on their order.
func FuzzCanonicalQuery(f *testing.F) {
	for _, seed := range []string{"", "a", "a=b&a=a", "%41=%2f", "a=%", "x=1+2", "b=&=c&&", "Action=GetCallerIdentity&Version=2011-06-15", "a=%E1%88%B4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		pairs, err := ParseQuery(raw)
		if err != nil {
			return
		}
		canonical := canonicalQuery(pairs)
		again, err := ParseQuery(canonical)
		if err != nil {
			t.Fatalf("%q: canonical %q: %v", raw, canonical, err)
		}
		if len(again) != len(pairs) || canonicalQuery(again) != canonical {
			t.Errorf("%q: canonical %q becomes %q", raw, canonical, canonicalQuery(again))
		}
		slices.Reverse(pairs)
		if canonicalQuery(pairs) != canonical {
			t.Errorf("%q: the order matters", raw)
		}
	})
}

// FuzzCanonicalRequest: a header's value cannot pretend to be more than one line, so that no
// two different requests have the same canonical form; and nothing panics.
func FuzzCanonicalRequest(f *testing.F) {
	f.Add("GET", "/", "a=b", "host:example.com", "body")
	f.Add("POST", "/a/../b//", "", "x-amz-date: 2026   11", "")
	f.Add("POST", "sessions/%2e%2e/", "%zz", "a:b", "\x00")
	f.Fuzz(func(t *testing.T, method, path, query, header, body string) {
		name, value, _ := strings.Cut(header, ":")
		if strings.ContainsAny(method+path+query+value, "\r\n") || !isToken(name) {
			return // net/http lets none of these through
		}
		r := Request{Method: method, Host: "h", Path: path, RawQuery: query, Header: http.Header{http.CanonicalHeaderKey(name): {value}}, Body: []byte(body)}
		pairs, err := ParseQuery(query)
		if err != nil {
			return
		}
		canonical, err := r.Canonical(pairs, []string{strings.ToLower(name)})
		if err != nil {
			return
		}
		lines := strings.Split(canonical, "\n")
		if len(lines) != 7 || lines[1] == "" || lines[1][0] != '/' || strings.Contains(lines[1], "//") {
			t.Errorf("canonical request:\n%s", canonical)
		}
	})
}
