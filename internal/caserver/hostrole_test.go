package caserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"kedge/internal/cadir"
)

// certificateOf returns one with a common name and, behind a slash, an organizational unit.
func certificateOf(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	name, unit, _ := strings.Cut(name, "/")
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	if unit != "" {
		template.Subject.OrganizationalUnit = []string{unit}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// builtAt adds what kedge-ca aws up builds in an account: a role with its name, for hosts.
func builtAt(p *cadir.Places, account, role string, hosts cadir.RoleHosts) {
	const id = "/6b656467-6500-4000-8000-000000000001"
	arn := "arn:aws:rolesanywhere:eu-west-1:" + account + ":"
	p.Change(cadir.PlaceOf(arn), func(at *cadir.AWS) {
		at.TrustAnchor, at.Profile = arn+"trust-anchor"+id, arn+"profile"+id
		at.SetRole(role, cadir.BuiltRole{ARN: "arn:aws:iam::" + account + ":role/" + role, Hosts: hosts})
	})
}

// TestHostAWS: a host gets the one role that is for it, from whatever account; a role for others is not given.
func TestHostAWS(t *testing.T) {
	t.Parallel()
	const first, second = "111122223333", "444455556666"
	two := new(cadir.Places)
	builtAt(two, first, "backup", cadir.RoleHosts{Names: []string{"db-**", "both"}})
	builtAt(two, second, "reports", cadir.RoleHosts{Names: []string{"web-01", "both"}})
	builtAt(two, second, "batch", cadir.RoleHosts{Units: []string{"batch"}})
	untried := new(cadir.Places)
	builtAt(untried, first, "backup", cadir.RoleHosts{})
	builtAt(untried, second, "reports", cadir.RoleHosts{Names: []string{"web-01"}})
	untried.Change(cadir.PlaceOf("arn:aws:rolesanywhere:eu-west-1:"+second+":"), func(at *cadir.AWS) { at.AddUntried([]string{at.Roles["reports"]}) })
	unknown, alone := new(cadir.Places), new(cadir.Places)
	builtAt(unknown, first, "backup", cadir.RoleHosts{})
	builtAt(alone, first, "backup", cadir.RoleHosts{})
	builtAt(unknown, second, "reports", cadir.RoleHosts{Names: []string{"web-01"}})
	for _, tt := range []struct {
		known *cadir.Places
		want  map[string]string // ARN of the role by names of hosts; empty: none
	}{
		{new(cadir.Places), map[string]string{"web-01": ""}},
		{two, map[string]string{
			"db-07": "arn:aws:iam::111122223333:role/backup", "web-01": "arn:aws:iam::444455556666:role/reports", "any/batch": "arn:aws:iam::444455556666:role/batch",
			"web-02": "", "both": "", "WEB-01": "",
		}},
		{alone, map[string]string{"web-01": "arn:aws:iam::111122223333:role/backup"}}, // of a former aws.yaml
		{untried, map[string]string{"web-01": "", "web-02": ""}},
		{unknown, map[string]string{"web-01": "arn:aws:iam::444455556666:role/reports", "web-02": ""}},
	} {
		settings, err := cadir.ParseSettings(nil)
		if err != nil {
			t.Fatal(err)
		}
		of, err := hostAWS(tt.known, settings)
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range tt.want {
			got := ""
			if aws := of(certificateOf(t, name)); aws != nil {
				got = aws.RoleARN
			}
			if got != want {
				t.Errorf("%v: %s gets %q, want %q", tt.known.Known(), name, got, want)
			}
		}
	}
}
