package certinfo

import (
	"fmt"
	"testing"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
)

// someCertificates are n certificates of leaves.
func someCertificates(n int) (all []ledger.Certificate) {
	for i := range n {
		all = append(all, ledger.Certificate{Kind: ledger.Leaf, Subject: fmt.Sprintf("CN=web-%d", i), Serial: fmt.Sprintf("0%d", i)})
	}
	return all
}

func TestChange_Notes(t *testing.T) {
	t.Parallel()
	rack := someCertificates(1)
	rack[0].Host = "rack 7"
	for _, tt := range []struct {
		certs   []ledger.Certificate
		skipped int
		want    string
	}{
		{nil, 0, ""},
		{someCertificates(1), 0, "done: revoked \"CN=web-0\", serial 00\n"},
		{rack, 0, "done: revoked \"CN=web-0\" of the host \"rack 7\", serial 00\n"},
		{someCertificates(2), 3, "done: revoked \"CN=web-0\", serial 00\ndone: revoked \"CN=web-1\", serial 01\ndone: left 3 others that are named so as they were\n"},
		{someCertificates(11), 0, "done: revoked 11 certificates\n"},
		{someCertificates(12), 1, "done: revoked 12 certificates\ndone: left 1 others that are named so as they were\n"},
	} {
		c := Change{Done: "revoked", Changed: &issuance.Changed{Certificates: tt.certs}, Skipped: tt.skipped}
		if got := c.Notes().String(); got != tt.want {
			t.Errorf("%s\nwant %s", got, tt.want)
		}
	}
	if n := len((Change{Changed: &issuance.Changed{Certificates: someCertificates(10)}}).Notes()); n != 10 {
		t.Errorf("%d of 10 are named", n)
	}
}

func TestChange_Next(t *testing.T) {
	t.Parallel()
	behind := []ledger.Authority{{Name: "ca"}, {Name: "sub"}}
	for _, tt := range []struct {
		changed issuance.Changed
		want    string
	}{
		{issuance.Changed{}, ""},
		{issuance.Changed{Behind: behind, Warnings: []string{"late"}}, ""},
		{issuance.Changed{Certificates: someCertificates(1)}, "done: it takes effect at AWS once the list is imported there: make it with kedge-ca crl\n"},
		{issuance.Changed{Certificates: someCertificates(1), Behind: behind}, "done: it takes effect at AWS once the list is imported there: make it with kedge-ca crl --issuer ca --issuer sub\n"},
		{issuance.Changed{Certificates: someCertificates(1), Warnings: []string{"100% late"}}, "warning: 100% late\ndone: it takes effect at AWS once the list is imported there: make it with kedge-ca crl\n"},
	} {
		c := Change{Changed: &tt.changed}
		if got := c.Next().String(); got != tt.want {
			t.Errorf("%s\nwant %s", got, tt.want)
		}
	}
}

// TestRevokeQuestion: one leaf is revoked without asking, and one certificate of a CA is not.
func TestRevokeQuestion(t *testing.T) {
	t.Parallel()
	probe := ledger.Certificate{Kind: ledger.Probe, Subject: "CN=web-0", Serial: "0b"}
	server := ledger.Certificate{Kind: ledger.Server, Subject: "CN=ca", Serial: "0c"}
	authority := []ledger.Certificate{{Kind: ledger.Intermediate, Subject: "CN=sub", Serial: "0a"}}
	for _, tt := range []struct {
		certs []ledger.Certificate
		want  string
	}{
		{nil, ""},
		{someCertificates(1), ""},
		{someCertificates(2), `revoke 2 certificates: "CN=web-0" (serial 00), "CN=web-1" (serial 01)?`},
		{someCertificates(7), `revoke 7 certificates: "CN=web-0" (serial 00), "CN=web-1" (serial 01), "CN=web-2" (serial 02), "CN=web-3" (serial 03), "CN=web-4" (serial 04) and 2 more?`},
		{authority, `revoke "CN=sub" (serial 0a), with 1 of a CA, below which no host gets a session any more?`},
		{append(someCertificates(1), authority...), `revoke "CN=web-0" (serial 00), "CN=sub" (serial 0a), with 1 of a CA, below which no host gets a session any more?`},
		{append(someCertificates(1), probe), ""},
		{[]ledger.Certificate{probe, probe}, ""},
		{append(someCertificates(2), probe), `revoke 2 certificates: "CN=web-0" (serial 00), "CN=web-1" (serial 01)?`},
		{[]ledger.Certificate{server}, ""},
		{append(someCertificates(1), server), `revoke 2 certificates: "CN=web-0" (serial 00), "CN=ca" (serial 0c)?`},
	} {
		if got := RevokeQuestion(tt.certs); got != tt.want {
			t.Errorf("%s\nwant %s", got, tt.want)
		}
	}
}
