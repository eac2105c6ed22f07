package enroll

import (
	"bytes"
	"crypto/x509"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"kedge/ca"
	"kedge/internal/enrollapi"
)

// Policy says what a host may get by itself with a profile. The zero Policy allows nothing.
type Policy struct {
	Profile *ca.Profile
	Proofs  []string // ca.ProofToken, ca.ProofRenewal

	// Grace is how long after its end a certificate can still be renewed; HardwareGrace, for keys
	// that were said to be in a TPM or token when that certificate was issued.
	Grace, HardwareGrace time.Duration
	// Recoveries is how often a lineage may be renewed after the end of a certificate. 0: no limit.
	Recoveries int
}

// Terms are what a reload of the configuration changes. They must not be changed once a Server has
// them.
type Terms struct {
	Policies map[string]Policy // by name of the profile
	Issuer   string            // the authority that issues; empty: the ledger's issuing one
	AWS      *enrollapi.AWS    // for the hosts; nil: not set up yet
	Names    []string          // of the server's certificate: DNS names and addresses
	Prefix   string            // of all paths, as in the URL that hosts have; empty: none
}

// policy returns the policy for an identity. Whether its proof is allowed is decided here for all
// endpoints.
func (t *Terms) policy(id *identity) (Policy, error) {
	p, ok := t.Policies[id.profile]
	if !ok {
		return Policy{}, refuse(enrollapi.Denied, "profile-unknown", "the profile %q is not in the configuration of the CA", id.profile)
	}
	if !slices.Contains(p.Proofs, id.proof) {
		return Policy{}, refuse(enrollapi.Denied, "proof-not-allowed", "the profile %q does not allow hosts to get certificates by %s", id.profile, proofNoun(id.proof))
	}
	return p, nil
}

func proofNoun(proof string) string {
	if proof == ca.ProofToken {
		return "a token"
	}
	return "renewal"
}

// request returns what an identity may get of a certificate request, which the sender must have
// signed with its key.
func (p Policy) request(id *identity, csr *x509.CertificateRequest, from netip.Addr) (ca.Request, error) {
	if id.leaf != nil {
		if err := ca.CheckCSR(csr); err != nil {
			return ca.Request{}, refuse(enrollapi.BadRequest, "request-key", "%v", err)
		}
		return ca.Request{Public: csr.PublicKey}, checkSameNames(csr, id.leaf)
	}
	r, _, err := p.Profile.FromCSR(csr, ca.CSROptions{})
	if err != nil {
		return ca.Request{}, refuseRequest(err)
	}
	if r.Name == "" && len(id.names) == 1 {
		r.Name = p.Profile.NameOf(id.names[0]) // a token has common names
	}
	if r.Name == "" {
		return ca.Request{}, refuse(enrollapi.NameNotAllowed, "name-missing", "the token is for several names, and the request has none").
			hinted("name the host: kedge enroll --name NAME")
	}
	r.Host = r.Name
	return r, checkOwnNames(r, from)
}

// checkOwnNames checks that the alternative names of a request belong to the host: with a token for
// one name nobody gets another's, whatever patterns the profile has. An operator can issue a
// certificate with other names at the CA, and the host can then renew that.
func checkOwnNames(r ca.Request, from netip.Addr) error {
	var others []string
	for _, dns := range r.DNS {
		if !isOwnDNS(r.Name, dns) {
			others = append(others, dns)
		}
	}
	for _, u := range r.URIs {
		if !isOwnURI(r.Name, u) {
			others = append(others, u.String())
		}
	}
	for _, ip := range r.IPs {
		if ip.Unmap() != from.Unmap() {
			others = append(others, ip.String())
		}
	}
	others = append(others, r.Emails...)
	if len(others) > 0 {
		return refuse(enrollapi.NameNotAllowed, "san-not-own", "the host %q cannot get the alternative name %q", r.Name, others[0]).
			hinted("ask for NAME or NAME.DOMAIN, URIs that end with /NAME, and the address of the host itself; others are issued at the CA")
	}
	return nil
}

func isOwnDNS(name, dns string) bool {
	name, dns = strings.ToLower(name), strings.ToLower(dns)
	return dns == name || strings.HasPrefix(dns, name+".")
}

func isOwnURI(name string, u *url.URL) bool {
	return u.Opaque == "" && u.RawQuery == "" && u.Fragment == "" && u.EscapedPath() == u.Path && strings.HasSuffix(u.Path, "/"+name) && !strings.Contains(name, "/")
}

// checkSameNames checks that a request for the renewal of a certificate has exactly its names: the
// same subject, or its common name alone, and the same alternative names.
func checkSameNames(csr *x509.CertificateRequest, old *x509.Certificate) error {
	onlyName := len(csr.Subject.Names) == 1 && csr.Subject.CommonName == old.Subject.CommonName
	if (onlyName || bytes.Equal(csr.RawSubject, old.RawSubject)) && slices.Equal(
		alternatives(csr.DNSNames, csr.EmailAddresses, csr.URIs, csr.IPAddresses),
		alternatives(old.DNSNames, old.EmailAddresses, old.URIs, old.IPAddresses)) {
		return nil
	}
	return refuse(enrollapi.NameNotAllowed, "names-differ", "a renewal has the names of the certificate %q, and the request has others", old.Subject.CommonName).
		hinted("a host gets other names with a new token: kedge enroll --force")
}

// alternatives returns alternative names in one form, each once, sorted.
func alternatives(dns, emails []string, uris []*url.URL, ips []net.IP) []string {
	var all []string
	for _, name := range dns {
		all = append(all, "dns "+strings.ToLower(name))
	}
	for _, address := range emails {
		all = append(all, "email "+address)
	}
	for _, u := range uris {
		all = append(all, "uri "+u.String())
	}
	for _, ip := range ips {
		all = append(all, "ip "+ip.String())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// grace returns how long after its end a certificate whose key was kept in a place can be renewed.
func (p Policy) grace(place string) time.Duration {
	if place == ca.KeyInTPM || place == ca.KeyInPKCS11 {
		return p.HardwareGrace
	}
	return p.Grace
}
