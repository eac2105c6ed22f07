package emulator

import (
	"net/http"
	"testing"

	"kedge/internal/emulator/wire"
)

// FuzzCreateSession: no request, signed or not, gets anything but an error out of the emulator,
// or makes it panic.
func FuzzCreateSession(f *testing.F) {
	root := newRoot(f, caTemplate("Root"))
	e := newEmulator(f, root, func(c *Config) { c.Log = nil })
	good := newCraft(e, root.issue(f, leafTemplate())).sign(f)
	f.Add("a=b", good.get("Authorization"), good.get("X-Amz-X509"), "", good.body)
	f.Add("", "AWS4-X509-RSA-SHA256 Credential=1/20261121/us-east-1/rolesanywhere/aws4_request, SignedHeaders=host, Signature=00", "AAAA", "AAAA,BBBB", "{}")
	f.Fuzz(func(t *testing.T, query, auth, leaf, chain, body string) {
		r := wire.Request{Method: "POST", Host: "127.0.0.1:8081", Path: "/sessions", RawQuery: query, Body: []byte(body), Header: http.Header{
			"Authorization": {auth}, "X-Amz-X509": {leaf}, "X-Amz-Date": {"20261121T120000Z"}, "Content-Type": {"application/json"},
		}}
		if chain != "" {
			r.Header["X-Amz-X509-Chain"] = []string{chain}
		}
		if s, refusal := e.createSession(r, testNow, Fault{}); refusal == nil {
			t.Errorf("a session: %+v", s)
		}
	})
}

// FuzzFault: what is accepted prints as something that is accepted as the same.
func FuzzFault(f *testing.F) {
	for _, seed := range []string{"throttle*2", "sts:delay=2s", "set=credentialSet.0.roleArn=\"x\"", "huge=5", "cut=body", "status=503*3", "remove=subjectArn", "iam:lost*2@3", "rolesanywhere:unavailable=7", "body=a@5*1", "body=*2@"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		fault, err := ParseFault(s)
		if err != nil {
			return
		}
		again, err := ParseFault(fault.String())
		fault.Count, fault.First = max(1, fault.Count), max(1, fault.First)
		again.Count, again.First = max(1, again.Count), max(1, again.First)
		if err != nil || again != fault {
			t.Errorf("%q prints as %q, which is %+v, %v", s, fault, again, err)
		}
	})
}
