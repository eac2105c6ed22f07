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

// Policy specifies what an enrollment server may issue to a host with a profile, without an operator. The
// zero Policy allows nothing.
type Policy struct {
	Profile *ca.Profile
	Proofs  []string // ca.ProofToken, ca.ProofApproval, ca.ProofRenewal
	// Wait is how long a request waits for the operator.
	Wait time.Duration

	// Grace is how long after its end a certificate can still be renewed; HardwareGrace, for keys
	// that were said to be in a TPM or token when that certificate was issued.
	Grace, HardwareGrace time.Duration
	// Hook is asked about what the policy allows; nil: nobody.
	Hook Hook

	// Domains are those in which a host's DNS names may be: NAME.DOMAIN, and NAME itself in any case.
	Domains []string

	// Recoveries is how often a lineage may be renewed after the end of a certificate. 0: no limit.
	Recoveries int
}

// Terms are what a reload of the configuration changes. They must not be changed once a Server has
// them.
type Terms struct {
	Policies map[string]Policy // by name of the profile
	Default  string            // the profile of requests for approval that name none
	Issuer   string            // the authority that issues; empty: the ledger's issuing one
	// AWS returns what a host with a certificate needs for sessions; nil: nothing is set up for it yet. A nil AWS is for
	// none.
	AWS     func(*x509.Certificate) *enrollapi.AWS
	Names   []string // of the server's certificate: DNS names and addresses
	Prefix  string   // of all paths, as in the URL that hosts have; empty: none
	Proxies Proxies
	Limits  Limits
	EST     map[string]ESTLabel // by label, "" for requests without one; nil: EST is not answered
}

// ESTLabel is what a label in the path of EST stands for. The zero ESTLabel is that of no label.
type ESTLabel struct {
	Profile string // the one that is issued; empty: that of the token or certificate, or Terms.Default
	Wrapped bool   // the base64 of answers is in lines
}

func (t *Terms) awsFor(cert *x509.Certificate) *enrollapi.AWS {
	if t.AWS == nil {
		return nil
	}
	return t.AWS(cert)
}

// policy returns the policy for an identity. Whether its proof is allowed is decided here for all
// endpoints.
func (t *Terms) policy(id *identity) (Policy, error) {
	p, ok := t.Policies[id.profile]
	if !ok {
		r := refuse(enrollapi.Denied, "profile-unknown", "the profile %q is not in the configuration of the CA", id.profile)
		if id.proof == ca.ProofApproval {
			_ = r.hinted("name one that is with --profile").toDevice("use a label of EST for one that is, or have the operator of the CA add it")
		}
		return Policy{}, r
	}
	if id.only != "" && id.only != id.profile {
		return Policy{}, refuse(enrollapi.Denied, "label-profile", "this label is for the profile %q, and the host's is %q", id.only, id.profile)
	}
	if !slices.Contains(p.Proofs, id.proof) {
		return Policy{}, refuse(enrollapi.Denied, "proof-not-allowed", "the profile %q does not allow hosts to get certificates by %s", id.profile, proofNoun(id.proof)).
			hinted("the operator of the CA can allow it: proofs, under enroll of the profile in kedge-ca.yaml")
	}
	return p, nil
}

func proofNoun(proof string) string {
	switch proof {
	case ca.ProofToken:
		return "a token"
	case ca.ProofApproval:
		return "approval of their request"
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
	if only := onlyName(id, r); r.Name == "" && only != "" {
		r.Name = p.Profile.NameOf(only) // a token has common names
	}
	if r.Name == "" {
		return ca.Request{}, refuse(enrollapi.NameNotAllowed, "name-missing", "the request has no name, and nothing else says which name it is for").
			hinted("name the host: kedge enroll --name NAME").
			toDevice("put the name into the request, as the common name of its subject")
	}
	r.Host = r.Name
	return r, p.checkOwnNames(r, from)
}

// onlyName returns the common name that a token leaves no choice about, or "".
func onlyName(id *identity, r ca.Request) string {
	if len(id.token.Names) == 1 {
		return id.token.Names[0]
	}
	key := ca.KeyHash(&x509.Certificate{PublicKey: r.Public})
	return id.token.NameFor(key[:])
}

// checkOwnNames checks that the alternative names of a request belong to the host: with a token for
// one name no host gets another's, whatever patterns the profile has. An operator can issue a
// certificate with other names at the CA, and the host can then renew that.
func (p Policy) checkOwnNames(r ca.Request, from netip.Addr) error {
	var others []string
	for _, dns := range r.DNS {
		if !p.isOwnDNS(r.Name, dns) {
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
			hinted("a host gets NAME, NAME.DOMAIN for the enroll.domains of the profile, URIs that end with /NAME, and its own address; other names are issued at the CA")
	}
	return nil
}

// isOwnDNS reports whether a DNS name is the host's, or the host's in one of the domains. Any other
// NAME.DOMAIN may be that of another machine: "api" is not every api.*.example.com.
func (p Policy) isOwnDNS(name, dns string) bool {
	domain, inDomain := strings.CutPrefix(strings.ToLower(dns), strings.ToLower(name)+".")
	return strings.EqualFold(name, dns) ||
		inDomain && slices.ContainsFunc(p.Domains, func(d string) bool { return strings.EqualFold(d, domain) })
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
		hinted("a host gets other names with a new token: kedge enroll --force").
		toDevice("send the names of the certificate; for other names, " + tokenForDevice)
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
