package enrollclient

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient/enrolltest"
)

// What a server sends that is not right never comes into use.
func TestAnswer_bad(t *testing.T) {
	foreign := enrolltest.NewAuthority(t, "foreign", nil)
	for name, test := range map[string]struct {
		change func(s *enrolltest.Server, a *enrollapi.Answer)
		want   string
	}{
		"no certificate": {func(_ *enrolltest.Server, a *enrollapi.Answer) { a.Certificate = nil }, "no certificate"},
		"cut":            {func(_ *enrolltest.Server, a *enrollapi.Answer) { a.Certificate = a.Certificate[:50] }, "no certificate"},
		"other key": {func(s *enrolltest.Server, a *enrollapi.Answer) {
			a.Certificate = s.Root.Issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: "web-01"}}, enrolltest.NewKey(t).Public()).Raw
		}, "another key"},
		"other name": {func(s *enrolltest.Server, a *enrollapi.Answer) { a.Certificate = reissue(t, s.Root, a, "web-02", nil) }, `for "web-02"`},
		"other CA":   {func(_ *enrolltest.Server, a *enrollapi.Answer) { a.Certificate = reissue(t, foreign, a, "web-01", nil) }, "does not lead"},
		"other CA with its bundle": {func(_ *enrolltest.Server, a *enrollapi.Answer) {
			a.Certificate, a.Bundle = reissue(t, foreign, a, "web-01", nil), [][]byte{foreign.Raw}
		}, "does not lead"},
		"other CA and both in the bundle": {func(_ *enrolltest.Server, a *enrollapi.Answer) {
			a.Certificate, a.Bundle = reissue(t, foreign, a, "web-01", nil), append(a.Bundle, foreign.Raw)
		}, "does not lead"},
		"a root that the CA did not certify": {func(s *enrolltest.Server, a *enrollapi.Answer) {
			between := enrolltest.NewAuthority(t, "intermediate", s.Root)
			// Whoever has the server's key, or a public certificate for its name, can make this one.
			cross := foreign.Issue(t, &x509.Certificate{Subject: between.Subject, IsCA: true, KeyUsage: x509.KeyUsageCertSign}, between.Key.Public())
			a.Certificate = reissue(t, between, a, "web-01", nil)
			a.Chain, a.Bundle = [][]byte{between.Raw, cross.Raw, s.Root.Raw}, [][]byte{foreign.Raw}
		}, "did not certify"},
		"expired": {func(s *enrolltest.Server, a *enrollapi.Answer) {
			a.Certificate = reissue(t, s.Root, a, "web-01", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
		}, "not valid now"},
		"future": {func(s *enrolltest.Server, a *enrollapi.Answer) {
			a.Certificate = reissue(t, s.Root, a, "web-01", func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) })
		}, "not valid now"},
		"a CA": {func(s *enrolltest.Server, a *enrollapi.Answer) {
			a.Certificate = reissue(t, s.Root, a, "web-01", func(c *x509.Certificate) { c.IsCA = true })
		}, "one of a CA"},
		"no bundle":     {func(_ *enrolltest.Server, a *enrollapi.Answer) { a.Bundle = nil }, "one root is needed"},
		"large bundle":  {func(_ *enrolltest.Server, a *enrollapi.Answer) { a.Bundle = repeat(a.Bundle[0], 17) }, "at most"},
		"long chain":    {func(_ *enrolltest.Server, a *enrollapi.Answer) { a.Chain = repeat(a.Bundle[0], 9) }, "at most"},
		"garbage chain": {func(_ *enrolltest.Server, a *enrollapi.Answer) { a.Chain = [][]byte{{1}} }, "cannot be read"},
		"bad ARN": {func(_ *enrolltest.Server, a *enrollapi.Answer) {
			a.AWS = &enrollapi.AWS{TrustAnchorARN: "x", ProfileARN: "x", RoleARN: "x", Region: "eu-west-1"}
		}, "ARN"},
		"shell code": {func(_ *enrolltest.Server, a *enrollapi.Answer) {
			a.AWS = settings("111122223333")
			a.AWS.RoleARN += "$(reboot)"
		}, "ARN"},
		"bad region": {func(_ *enrolltest.Server, a *enrollapi.Answer) {
			a.AWS = settings("111122223333")
			a.AWS.Region = "eu west"
		}, "region"},
	} {
		s := enrolltest.New(t)
		s.Change = func(a *enrollapi.Answer) { test.change(s, a) }
		dir := filepath.Join(t.TempDir(), "web-01")
		_, err := Enroll(t.Context(), enrolling(t, s, dir))
		if !errors.As(err, new(*AnswerError)) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
		// A renewal keeps the pair that works.
		s.Change = nil
		dir = enrolled(t, s)
		before := checkUsable(t, dir).Leaf()
		s.Change = func(a *enrollapi.Answer) { test.change(s, a) }
		_, err = Renew(t.Context(), Renewing{Connection: connection(), Dir: dir, Force: true, Keys: ofRecord})
		if !errors.As(err, new(*AnswerError)) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: renewal: %v", name, err)
		}
		if after := checkUsable(t, dir).Leaf(); !after.Equal(before) {
			t.Errorf("%s: another certificate is in use", name)
		}
	}
}

func repeat(der []byte, n int) (out [][]byte) {
	for range n {
		out = append(out, der)
	}
	return out
}

// reissue is the certificate of an answer with other contents.
func reissue(t *testing.T, ca *enrolltest.Authority, a *enrollapi.Answer, name string, change func(*x509.Certificate)) []byte {
	t.Helper()
	leaf, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter}
	if change != nil {
		change(template)
	}
	return ca.Issue(t, template, leaf.PublicKey).Raw
}

func settings(account string) *enrollapi.AWS {
	arn := "arn:aws:rolesanywhere:eu-west-1:" + account + ":"
	return &enrollapi.AWS{TrustAnchorARN: arn + "trust-anchor/t", ProfileARN: arn + "profile/p", RoleARN: "arn:aws:iam::" + account + ":role/r", Region: "eu-west-1"}
}

// What does not speak the API is told from a refusal.
func TestAnswer_foreign(t *testing.T) {
	for name, test := range map[string]struct {
		write func(w http.ResponseWriter)
		want  string
	}{
		"proxy":    {func(w http.ResponseWriter) { w.WriteHeader(502); fmt.Fprint(w, "<html>") }, "HTTP status 502"},
		"redirect": {func(w http.ResponseWriter) { w.Header().Set("Location", "https://127.0.0.1:1/"); w.WriteHeader(307) }, "HTTP status 307"},
		"page":     {func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/html"); fmt.Fprint(w, "{}") }, "not JSON"},
		"empty":    {func(w http.ResponseWriter) { w.Header().Set("Content-Type", "application/json") }, "not an answer"},
		"list":     {func(w http.ResponseWriter) { w.Header().Set("Content-Type", "application/json"); fmt.Fprint(w, "[]") }, "not an answer"},
		"large": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(append([]byte(`{"name":"`), bytes.Repeat([]byte("a"), 2<<20)...))
		}, "not an answer"},
		"error without code": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(403)
			fmt.Fprint(w, `{"message":"no"}`)
		}, "HTTP status 403"},
	} {
		s := enrolltest.New(t)
		s.Write = test.write
		_, err := Enroll(t.Context(), enrolling(t, s, filepath.Join(t.TempDir(), "web-01")))
		if !errors.As(err, new(*AnswerError)) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A host gives its token to the server alone that shows the key of the CA.
func TestServer_untrusted(t *testing.T) {
	root, foreign := enrolltest.NewAuthority(t, "root", nil), enrolltest.NewAuthority(t, "root", nil)
	for name, test := range map[string]struct {
		issuer *enrolltest.Authority
		change func(*x509.Certificate)
		want   string // empty: it is trusted
	}{
		"as it should be":        {root, enrolltest.Unchanged, ""},
		"another CA":             {foreign, enrolltest.Unchanged, "does not lead to the key"},
		"another name":           {root, func(c *x509.Certificate) { c.IPAddresses = nil; c.DNSNames = []string{"other.example.org"} }, "not for the name"},
		"no name":                {root, func(c *x509.Certificate) { c.IPAddresses = nil }, "not for the name"},
		"common name alone":      {root, func(c *x509.Certificate) { c.IPAddresses = nil; c.Subject.CommonName = "127.0.0.1" }, "not for the name"},
		"a host":                 {root, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, "not one for servers"},
		"for anything":           {root, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }, "not one for servers"},
		"no usage":               {root, func(c *x509.Certificate) { c.ExtKeyUsage = nil }, "not one for servers"},
		"expired a day ago":      {root, shifted(-24 * time.Hour), ""},
		"expired long ago":       {root, shifted(-72 * time.Hour), "not valid at the time"},
		"not valid for a day":    {root, shifted(25 * time.Hour), ""},
		"not valid for a week":   {root, shifted(8 * 24 * time.Hour), "not valid at the time"},
		"an intermediate's leaf": {enrolltest.NewAuthority(t, "intermediate", foreign), enrolltest.Unchanged, "does not lead to the key"},
	} {
		s := enrolltest.Serve(t, root, test.issuer.ServerCertificate(t, test.change))
		_, err := Enroll(t.Context(), enrolling(t, s, filepath.Join(t.TempDir(), "web-01")))
		switch {
		case test.want == "":
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case !errors.As(err, new(*UntrustedError)) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "127.0.0.1"):
			t.Errorf("%s: %v", name, err)
		case len(s.Asked) > 0:
			t.Errorf("%s: the token went there", name)
		}
	}
}

// Only a server of the CA is one that may have another URL, and a server without TLS.
func TestServer_otherURL(t *testing.T) {
	t.Parallel()
	root, foreign := enrolltest.NewAuthority(t, "root", nil), enrolltest.NewAuthority(t, "root", nil)
	named := func(c *x509.Certificate) { c.IPAddresses = nil; c.DNSNames = []string{"other.example.org"} }
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	at := func(issuer *enrolltest.Authority, change func(*x509.Certificate)) string {
		return enrolltest.Serve(t, root, issuer.ServerCertificate(t, change)).URL
	}
	for name, test := range map[string]struct {
		url, want string
		other     bool
	}{
		"another name":             {at(root, named), "is not trusted: its certificate is not for the name", true},
		"another name, of another": {at(foreign, named), "does not lead to the key", false},
		"another CA":               {at(foreign, enrolltest.Unchanged), "does not lead to the key", false},
		"another name, not of a server": {at(root, func(c *x509.Certificate) {
			named(c)
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		}), "not one for servers", false},
		"another name, out of its time": {at(root, func(c *x509.Certificate) { named(c); shifted(-72 * time.Hour)(c) }), "not valid at the time", false},
		"without TLS":                   {strings.Replace(plain.URL, "http:", "https:", 1), "is not trusted: it answers in HTTP, without TLS", true},
	} {
		e := enrolling(t, enrolltest.Serve(t, root, root.ServerCertificate(t, enrolltest.Unchanged)), filepath.Join(t.TempDir(), "web-01"))
		e.Token.URL = test.url
		_, err := Enroll(t.Context(), e)
		untrusted, ok := errors.AsType[*UntrustedError](err)
		if !ok || untrusted.Other != test.other || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v (%+v)", name, err, untrusted)
		}
	}
}

// shifted makes a certificate that is valid for an hour, which ends or begins that far from now.
func shifted(by time.Duration) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(by-time.Hour), time.Now().Add(by)
	}
}

// A token for a server with a public certificate takes what the system trusts, and nothing else.
func TestServer_systemRoots(t *testing.T) {
	s := enrolltest.New(t)
	e := enrolling(t, s, filepath.Join(t.TempDir(), "web-01"))
	e.Token.SystemRoots = true
	if _, err := Enroll(t.Context(), e); !errors.As(err, new(*UntrustedError)) {
		t.Errorf("a private CA: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Root.Certificate)
	e.Roots = func() (*x509.CertPool, error) { return roots, nil }
	if _, err := Enroll(t.Context(), e); err != nil {
		t.Errorf("one that the system trusts: %v", err)
	}
	dir := filepath.Join(t.TempDir(), "web-01")
	e.Dir, e.Token = dir, s.Token(t)
	e.Token.SystemRoots, e.Token.CAKey = true, [32]byte{1}
	if _, err := Enroll(t.Context(), e); !errors.As(err, new(*AnswerError)) {
		t.Errorf("a certificate of another CA than the token's: %v", err)
	}
}
