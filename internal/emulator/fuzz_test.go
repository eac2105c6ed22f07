package emulator

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
		a, err := parseAuthorization(header)
		if err != nil {
			return
		}
		again, err := parseAuthorization(a.String())
		if err != nil {
			t.Fatalf("%q prints as %q: %v", header, a.String(), err)
		}
		if again.String() != a.String() || !slices.Equal(again.signedHeaders, a.signedHeaders) || again.credential != a.credential {
			t.Errorf("%q becomes %q", a.String(), again.String())
		}
		if strings.Count(a.credential.scope(), "/") != 3 || strings.ContainsAny(a.String(), "\r\n") {
			t.Errorf("scope %q", a.credential.scope())
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
		pairs, err := parseQuery(raw)
		if err != nil {
			return
		}
		canonical := canonicalQuery(pairs)
		again, err := parseQuery(canonical)
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
		r := wireRequest{method: method, host: "h", path: path, rawQuery: query, header: http.Header{http.CanonicalHeaderKey(name): {value}}, body: []byte(body)}
		pairs, err := parseQuery(query)
		if err != nil {
			return
		}
		canonical, err := r.canonical(pairs, []string{strings.ToLower(name)})
		if err != nil {
			return
		}
		lines := strings.Split(canonical, "\n")
		if len(lines) != 7 || lines[1] == "" || lines[1][0] != '/' || strings.Contains(lines[1], "//") {
			t.Errorf("canonical request:\n%s", canonical)
		}
	})
}

// FuzzCreateSession: no request, signed or not, gets anything but an error out of the emulator,
// or makes it panic.
func FuzzCreateSession(f *testing.F) {
	root := newRoot(f, caTemplate("Root"))
	e := newEmulator(f, root, func(c *Config) { c.Log = nil })
	good := newCraft(e, root.issue(f, leafTemplate())).sign(f)
	f.Add("a=b", good.get("Authorization"), good.get("X-Amz-X509"), "", good.body)
	f.Add("", "AWS4-X509-RSA-SHA256 Credential=1/20261121/us-east-1/rolesanywhere/aws4_request, SignedHeaders=host, Signature=00", "AAAA", "AAAA,BBBB", "{}")
	f.Fuzz(func(t *testing.T, query, auth, leaf, chain, body string) {
		r := wireRequest{method: "POST", host: "127.0.0.1:8081", path: "/sessions", rawQuery: query, body: []byte(body), header: http.Header{
			"Authorization": {auth}, "X-Amz-X509": {leaf}, "X-Amz-Date": {"20261121T120000Z"}, "Content-Type": {"application/json"},
		}}
		if chain != "" {
			r.header["X-Amz-X509-Chain"] = []string{chain}
		}
		if s, refusal := e.createSession(r, testNow, Fault{}); refusal == nil {
			t.Errorf("a session: %+v", s)
		}
	})
}

// FuzzFault: what is accepted prints as something that is accepted as the same.
func FuzzFault(f *testing.F) {
	for _, seed := range []string{"throttle*2", "sts:delay=2s", "set=credentialSet.0.roleArn=\"x\"", "huge=5", "cut=body", "status=503*3", "remove=subjectArn"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		fault, err := ParseFault(s)
		if err != nil {
			return
		}
		again, err := ParseFault(fault.String())
		if err != nil || again.String() != fault.String() {
			t.Errorf("%q prints as %q, which is %+v, %v", s, fault, again, err)
		}
	})
}
