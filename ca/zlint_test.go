package ca

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	zx509 "github.com/zmap/zcrypto/x509"
	"github.com/zmap/zlint/v3"
	zrules "github.com/zmap/zlint/v3/lint"
)

// zlintRules are zlint's for the standards: RFC 5280 and those about keys in certificates.
// Those of the CA/Browser Forum and of browsers are about the web.
func zlintRules(t testing.TB) zrules.Registry {
	t.Helper()
	rules, err := zrules.GlobalRegistry().Filter(zrules.FilterOptions{
		IncludeSources: zrules.SourceList{zrules.RFC3279, zrules.RFC5280, zrules.RFC5480, zrules.RFC5891, zrules.RFC8813},
	})
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// leftOut returns why a finding of zlint does not count, or "".
func leftOut(what, rule string) string {
	if strings.HasPrefix(what, "ML-DSA-") && strings.HasSuffix(what, " root") && rule == "e_ext_authority_key_identifier_no_key_identifier" {
		return "zlint cannot verify ML-DSA, and so does not see that the certificate is self-signed: RFC 5280, 4.2.1.1 lets a root go without"
	}
	return ""
}

// checkZLint fails for zlint's warnings and errors, and if zlint applied too few lints.
func checkZLint(t *testing.T, what string, results *zlint.ResultSet, atLeast int) {
	t.Helper()
	looked := 0
	for name, r := range results.Results {
		if why := leftOut(what, name); why != "" {
			if r.Status < zrules.Warn {
				t.Errorf("%s: %s is %s and need not be left out", what, name, r.Status)
			}
		} else if r.Status >= zrules.Warn {
			t.Errorf("%s: %s: %s %s", what, name, r.Status, r.Details)
		}
		if r.Status >= zrules.Pass {
			looked++
		}
	}
	if looked < atLeast {
		t.Errorf("%s: %d rules apply, want %d", what, looked, atLeast)
	}
}

// TestZLint: zlint finds nothing in issued certificates, whatever the keys. It does not know
// ML-DSA: of such certificates it checks all fields but key and signature; leftOut has the lints
// affected.
func TestZLint(t *testing.T) {
	t.Parallel()
	rules := zlintRules(t)
	keys := map[string]crypto.Signer{}
	for _, kind := range keyTypes() {
		keys[kind] = keyOf(t, kind)
	}
	for what, cert := range issuedBy(t, keys) {
		parsed, err := zx509.ParseCertificate(cert.Raw)
		if err != nil {
			t.Errorf("%s: zlint cannot read it: %v", what, err)
			continue
		}
		checkZLint(t, what, zlint.LintCertificateEx(parsed, rules), 30)
	}
}

// issuedBy returns, for each type of key, a root, an intermediate and its renewal, and for
// each type again a leaf below, all with everything that a configuration can ask for.
func issuedBy(t *testing.T, keys map[string]crypto.Signer) map[string]*x509.Certificate {
	t.Helper()
	full := fullProfile(t)
	certs := map[string]*x509.Certificate{}
	for kind, key := range keys {
		config := rootConfig(10 * 365 * 24 * time.Hour)
		config.CRLURLs = []string{"http://crl.example.com/root.crl"}
		config.Subject.Country, config.Subject.Organization = []string{"CH"}, []string{"Büro"}
		prepared, err := PrepareRoot(key, config, noon)
		if err != nil {
			t.Fatal(err)
		}
		root, err := New(issue(t, prepared), key)
		if err != nil {
			t.Fatal(err)
		}
		certs[kind+" root"] = root.Certificate()
		child := intermediateBelow(t, root)
		certs["intermediate below "+kind] = child
		renewal, err := root.PrepareRenewal(Renewal{Old: child, Public: newKey(t).Public()}, noon.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		certs["renewed intermediate below "+kind] = issue(t, renewal)
		for name, key := range keys {
			certs[fmt.Sprintf("%s leaf below %s", name, kind)] = leafOf(t, root, DefaultProfile(), Request{Name: "web-01", Public: publicOf(t, key, name, kind)})
		}
		certs["full leaf below "+kind] = leafOf(t, root, full, fullRequest(t))
	}
	return certs
}

// publicOf is another key where leaf and CA are of one type, since they may not share it.
func publicOf(t *testing.T, key crypto.Signer, leaf, ca string) crypto.PublicKey {
	t.Helper()
	if leaf == ca {
		return keyOf(t, leaf).Public()
	}
	return key.Public()
}

func intermediateBelow(t *testing.T, root *Authority) *x509.Certificate {
	t.Helper()
	prepared, err := root.PrepareCA(newKey(t).Public(), AuthorityConfig{
		Subject: pkix.Name{CommonName: "Issuing CA", Organization: []string{"Example"}}, Lifetime: 365 * 24 * time.Hour,
		CRLURLs: []string{"http://crl.example.com/ca.crl"},
		Constraints: NameConstraints{
			PermittedDNS: []string{"example.com"}, ExcludedURI: []string{".example.net"}, PermittedEmail: []string{"example.com"},
			PermittedIP: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, ExcludedIP: []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")},
		},
	}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return issue(t, prepared)
}

// fullProfile asks for all attributes and extensions there are.
func fullProfile(t *testing.T) *Profile {
	t.Helper()
	p, err := NewProfile("full", ProfileConfig{
		Subject: SubjectConfig{
			CommonName: "{name}", Organization: "Büro AG", OrganizationalUnit: "web", Country: "CH", Locality: "Zürich", Province: "ZH",
		},
		SAN:         SANConfig{DNS: []string{"**"}, URI: []string{"**"}, IP: []string{"0.0.0.0/0", "::/0"}, Email: []string{"**"}},
		ExtKeyUsage: []string{"client_auth", "server_auth"},
		CRLURLs:     []string{"http://crl.example.com/ca.crl", "http://crl.example.org/ca.crl"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func fullRequest(t *testing.T) Request {
	t.Helper()
	id, err := url.Parse("spiffe://example.com/web/01")
	if err != nil {
		t.Fatal(err)
	}
	return Request{
		Name: "web-01", Public: newKey(t).Public(), DNS: []string{"web-01.example.com", "www.example.com"}, URIs: []*url.URL{id},
		IPs: []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1")}, Emails: []string{"web@example.com"},
	}
}

func TestZLint_crl(t *testing.T) {
	t.Parallel()
	rules := zlintRules(t)
	for _, name := range []string{"P-256", "RSA-2048", "ML-DSA-44"} {
		root := rootOf(t, keyOf(t, name))
		for _, revoked := range [][]Revocation{nil, serials(3), {{big.NewInt(5), noon.Add(time.Hour), Unspecified}}} {
			der, err := root.CRL(revoked, weekly(7))
			if err != nil {
				t.Fatal(err)
			}
			list, err := zx509.ParseRevocationList(der)
			if err != nil {
				t.Errorf("%s: zlint cannot read it: %v", name, err)
				continue
			}
			checkZLint(t, fmt.Sprintf("%s CRL, %d entries", name, len(revoked)), zlint.LintRevocationListEx(list, rules), 5)
		}
	}
	if names := rules.Sources(); !slices.Contains(names, zrules.RFC5280) {
		t.Errorf("sources %v", names)
	}
}
