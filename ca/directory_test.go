package ca

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// directoryRoot is a root that may only issue below O=Example, but for its secrets
// (smallstep/certificates#2653), with constraints of each other kind.
const directoryRoot = `nameConstraints=critical,permitted;dirName:p,permitted;dirName:q,excluded;dirName:x,permitted;DNS:example.com,excluded;DNS:secret.example.com,permitted;URI:.example.com,permitted;email:example.com,permitted;IP:10.0.0.0/255.0.0.0
[p]
O=Example
[q]
C=CH
O=Beispiel AG
[x]
O=Example
OU=Secret
`

// TestDirectoryConstraints: what lint finds is what openssl refuses; what openssl takes, lint
// takes as well, unless another program might not.
func TestDirectoryConstraints(t *testing.T) {
	t.Parallel()
	o := newOpenSSL(t)
	root, _ := o.sign(opensslCert{subject: "/O=Example/CN=Dir", extensions: directoryRoot}, caExtensions, nil)
	tests := []struct {
		leaf   opensslCert
		good   bool
		strict bool // openssl takes it
	}{
		{subj("/O=Example/CN=x"), true, false},
		{subj("/O=Example"), true, false},
		{subj("/O=Example/OU=Open/OU=Secret/CN=x"), true, false},
		{subj("/C=CH/O=Beispiel AG/CN=x"), true, false},
		{subj("/CN=x"), false, false},
		{subj("/CN=x/O=Example"), false, false},
		{subj("/O=Example2/CN=x"), false, false},
		{subj("/O=Beispiel AG/CN=x"), false, false},
		{subj("/O=Example/OU=Secret/CN=x"), false, false},
		{subj("/O=Example/OU=SECRET/CN=x"), false, false},
		{subj("/O=Example/OU= Secret/CN=x"), false, false},
		{subj("/O=EXAMPLE/CN=x"), false, true},
		{subj("/C=CH/O=Beispiel  AG/CN=x"), false, true},
		{opensslCert{subject: "/O=Example/CN=x", extensions: "subjectAltName=dirName:d\n[d]\nO=Example\nCN=y"}, true, false},
		{opensslCert{subject: "/O=Example/CN=x", extensions: "subjectAltName=dirName:d\n[d]\nO=Other\nCN=y"}, false, false},
	}
	for _, tt := range tests {
		tt.leaf.args = []string{"-days", "20"}
		made, cert := o.sign(tt.leaf, leafExtensions, &root)
		if verified, said := o.verifies(made); verified != (tt.good || tt.strict) {
			t.Errorf("%s: openssl: %s", cert.Subject, said)
		}
		found := slices.Contains(broke(Lint(cert, root.path)), "name-constraints")
		if found == tt.good {
			t.Errorf("%s: found %v", cert.Subject, found)
		}
	}
}

// TestRenewal_directoryConstraints: a root that another program gave such constraints keeps
// them all, and issues what they permit.
func TestRenewal_directoryConstraints(t *testing.T) {
	t.Parallel()
	o := newOpenSSL(t)
	made, cert := o.sign(opensslCert{subject: "/O=Example/CN=Dir", extensions: directoryRoot}, caExtensions, nil)
	a, err := New(cert, o.signer(made))
	if err != nil {
		t.Fatal(err)
	}
	now := cert.NotBefore.Add(time.Hour)
	prepared, err := a.PrepareRenewal(Renewal{Old: cert, AllowWarnings: []string{"name-constraints-directory"}}, now)
	if err != nil {
		t.Fatal(err)
	}
	renewed := issue(t, prepared)
	was, err := constraintsOf(cert)
	if err != nil {
		t.Fatal(err)
	}
	is, err := constraintsOf(renewed)
	if err != nil {
		t.Fatal(err)
	}
	texts := func(n NameConstraints) string {
		ips := slices.Concat(n.PermittedIP, n.ExcludedIP)
		var text strings.Builder
		for _, p := range ips {
			text.WriteString(p.String() + " ")
		}
		return text.String() + strings.Join(slices.Concat(n.PermittedDNS, n.ExcludedDNS, n.PermittedURI, n.PermittedEmail), " ") +
			directoryTexts(n.directories.permitted) + directoryTexts(n.directories.excluded)
	}
	if got, want := texts(is), texts(was); got != want || !is.directories.critical || strings.Count(got, "Example") != 2 {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	again, err := New(renewed, o.signer(made))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.PrepareLeaf(DefaultProfile(), Request{Name: "web-01", Public: newKey(t).Public()}, now); err == nil ||
		!strings.Contains(err.Error(), `the directory name "CN=web-01" is not permitted by the name constraints of "CN=Dir,O=Example": "O=Example", "O=Beispiel AG,C=CH"`) {
		t.Errorf("a leaf elsewhere: %v", err)
	}
	leaf := profile(t, func(c *ProfileConfig) { c.Subject.Organization = "Example" })
	if _, err := again.PrepareLeaf(leaf, Request{Name: "web-01", Public: newKey(t).Public()}, now); err != nil {
		t.Errorf("a leaf below O=Example: %v", err)
	}
}
