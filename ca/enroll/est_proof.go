package enroll

import (
	"cmp"
	"context"
	"crypto/subtle"
	"crypto/x509"
	"io"
	"net/http"
	"strings"

	"kedge/ca"
	"kedge/internal/enrollapi"
	"kedge/internal/est"
)

// byPassword returns the identity of the token that is the password of HTTP Basic (RFC 7030, 3.2.3).
func (d estDoor) byPassword(ctx context.Context, c *call, r *http.Request) (*identity, error) {
	c.proof = ca.ProofToken
	_, password, ok := r.BasicAuth()
	if !ok {
		return nil, refuse(enrollapi.BadToken, "basic", "the header Authorization must be HTTP Basic, with a token as the password")
	}
	if strings.Contains(password, ":") {
		return nil, refuse(enrollapi.BadToken, "basic", "the user name of HTTP Basic cannot have a colon: what follows the first one is taken for the token")
	}
	token, err := enrollapi.ParseToken(password)
	if err != nil {
		return nil, refuse(enrollapi.BadToken, "basic", "the password of HTTP Basic must be a token: %v", err)
	}
	return d.server.byToken(ctx, c, enrollapi.TokenProof{ID: token.ID[:], Secret: token.Secret})
}

// byConnection returns the identity of the certificate that the client has shown on the connection, with a
// signature of its key. It counts for what the ledger has of it now, whenever the connection was made.
func (d estDoor) byConnection(ctx context.Context, c *call, r *http.Request) (*identity, error) {
	c.proof = ca.ProofRenewal
	if d.isForwarded(r) {
		return nil, refuse(enrollapi.UnknownCertificate, "proxy", "a proxy has sent this request, and mTLS ends there: nothing shows that the client has the key of its certificate").
			hinted("let devices connect to kedge-ca serve itself, or through a proxy that passes TLS on as it is and is not under trusted_proxies")
	}
	shown := d.shown(r)
	if shown == nil {
		return nil, refuse(enrollapi.UnknownCertificate, "no-certificate", "the client has shown no certificate: %s renews the one that is used for TLS", est.SimpleReenroll).
			hinted("give the client its certificate and key for TLS (curl: --cert and --key); if there is a proxy in front of the server, mTLS ends there")
	}
	old, leaf, err := d.server.known(ctx, shown.Raw)
	if err != nil {
		return nil, err
	}
	if err := d.server.limitOver(c, old); err != nil {
		return nil, err
	}
	c.name, c.old, c.due = old.CommonName, old.Serial, isDue(old, c.begun)
	return &identity{proof: ca.ProofRenewal, profile: old.Profile, old: old, leaf: leaf}, nil
}

// tokenForDevice is the hint where a device needs a token.
const tokenForDevice = "give a token as the password of HTTP Basic at " + est.SimpleEnroll + ": the operator of the CA makes one, with kedge-ca token NAME, and --replace if the name has another key"

// refusedShown returns the refusal of the certificate itself that the client has shown. It is nil if err is
// another, or none.
func refusedShown(err error) *refusal {
	if err == nil {
		return nil
	}
	refused := *refusalOf(err)
	switch refused.rule {
	case "unknown-certificate", "revoked", "ended", "beyond-grace":
		return &refused
	}
	return nil
}

// shown returns the certificate of the client of the connection, nil if there is none or it is a proxy's.
func (d estDoor) shown(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 || d.isForwarded(r) {
		return nil
	}
	return r.TLS.PeerCertificates[0]
}

// isForwarded reports whether a proxy has sent a request.
func (d estDoor) isForwarded(r *http.Request) bool {
	return d.server.terms.Load().Proxies.isForwarded(r)
}

// allowsApproval refuses a request without credentials, unless it may wait for approval.
func (d estDoor) allowsApproval() error {
	terms := d.server.terms.Load()
	profile := cmp.Or(d.label.Profile, terms.Default)
	if _, err := terms.policy(&identity{proof: ca.ProofApproval, profile: profile}); err != nil {
		return refuse(enrollapi.BadToken, "credentials", "the request has no credentials").
			hinted("give a token as the password of HTTP Basic (the operator of the CA makes one: kedge-ca token NAME), or connect with a certificate of this CA")
	}
	return nil
}

// read returns the certificate request of a body: base64, with or without line breaks, PEM or DER. What
// Content-Transfer-Encoding claims is not read (RFC 8951, 3.1).
func (d estDoor) read(r *http.Request) (*x509.CertificateRequest, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if len(body) > enrollapi.MaxBody {
		return nil, refuse(enrollapi.TooLarge, "body", "the body has more than %d bytes", enrollapi.MaxBody)
	}
	csr, err := ca.ParseCSR(body)
	if err != nil {
		return nil, refuse(enrollapi.BadRequest, "request-form", "%v", err)
	}
	attributes, err := est.ReadAttributes(csr)
	if err != nil {
		return nil, refuse(enrollapi.BadRequest, "request-form", "%v", err)
	}
	if attributes.ChangesSubject {
		return nil, refuse(enrollapi.NameNotAllowed, "change-subject", "the request has the attribute changeSubjectName, and a certificate keeps its name when it is renewed").
			hinted("a device gets another name with a new token")
	}
	return csr, d.checkLink(r, attributes.Challenge)
}

// checkLink checks that a request was made for the connection that it comes by, if it has a
// challengePassword: that is the base64 of the connection's tls-unique (RFC 7030, 3.5 and RFC 5929, 3).
func (d estDoor) checkLink(r *http.Request, challenge []byte) error {
	if challenge == nil {
		return nil
	}
	const hint = "leave the attribute challengePassword out of the request; it is for the tls-unique of TLS 1.2 alone (RFC 7030, 3.5)"
	switch {
	case d.isForwarded(r):
		return refuse(enrollapi.BadRequest, "tls-unique", "the request has a challengePassword, which cannot be checked: a proxy has sent it, and TLS ends there").hinted(hint)
	case r.TLS == nil || len(r.TLS.TLSUnique) == 0: // RFC 9266, 3, and RFC 7627
		return refuse(enrollapi.BadRequest, "tls-unique", "the request has a challengePassword, which cannot be checked: a connection by TLS 1.3 has no tls-unique, and one by TLS 1.2 that resumes a session has none without the extended master secret").hinted(hint)
	case subtle.ConstantTimeCompare(est.Flat(r.TLS.TLSUnique), challenge) != 1:
		return refuse(enrollapi.BadRequest, "tls-unique", "the challengePassword of the request is not the tls-unique of this connection: it was made for another, or is a password").hinted(hint)
	}
	return nil
}
