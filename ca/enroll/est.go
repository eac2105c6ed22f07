package enroll

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"net/http"
	"slices"
	"strings"

	"kedge/internal/enrollapi"
	"kedge/internal/est"
)

// estDoor is EST (RFC 7030) at one label: it reads requests and writes answers, and has no rules but
// those about TLS. A token is the password of HTTP Basic, whose user name is not read; a certificate of
// this CA, shown on the connection, is renewed; with neither a token nor any certificate a request waits
// for approval, if its profile allows that.
type estDoor struct {
	server *Server
	label  ESTLabel
}

// serveEST answers at [LABEL/]OPERATION below est.Path.
func (s *Server) serveEST(ctx context.Context, w http.ResponseWriter, r *http.Request, rest string) {
	operation, label := rest, ""
	before, after, labelled := strings.Cut(rest, "/")
	if labelled {
		label, operation = before, after
	}
	labels := s.terms.Load().EST
	settings, known := labels[label]
	d := estDoor{s, settings}
	p := protocol{est.RequestType, d.write}
	switch {
	case labels == nil:
		s.write(w, p, nil, refuse(enrollapi.NotFound, "label", "EST is not enabled here").hinted("the operator of the CA enables it in kedge-ca.yaml: server.est.enabled"))
	case !known || labelled && label == "":
		s.write(w, p, nil, refuse(enrollapi.NotFound, "label", "there is no label %q of EST here", label))
	case operation == est.CACerts:
		s.show(w, r, p, func() (any, error) { return s.caCertificates(ctx) })
	case operation == est.CSRAttrs:
		s.show(w, r, p, func() (any, error) { return nil, nil })
	case operation == est.SimpleEnroll:
		s.decide(ctx, w, r, endpoint{protocol: p, run: d.enroll})
	case operation == est.SimpleReenroll:
		s.decide(ctx, w, r, endpoint{protocol: p, run: d.reenroll, renews: true})
	case operation == est.FullCMC || operation == est.ServerKeyGen:
		s.write(w, p, nil, refuse(enrollapi.NotImplemented, "operation", "this server has no %s: a client makes its own key, and sends a PKCS #10 to %s", operation, est.SimpleEnroll))
	default:
		s.write(w, p, nil, refuse(enrollapi.NotFound, "path", "EST has no operation %q", operation))
	}
}

// enroll is simpleenroll (RFC 7030, 4.2.1): by a token, a certificate of this CA, or approval. A client whose
// certificate is refused is asked for a token (401): it may send that only when it is asked, and show its
// maker's certificate, or its own that has ended, on every connection.
func (d estDoor) enroll(ctx context.Context, c *call, r *http.Request) (any, error) {
	if r.Header.Get("Authorization") != "" {
		id, err := d.byPassword(ctx, c, r)
		return d.certify(ctx, c, r, id, err)
	}
	if d.shown(r) == nil {
		return d.request(ctx, c, r)
	}
	answer, err := d.reenroll(ctx, c, r)
	if refused := refusedShown(err); refused != nil {
		refused.code = enrollapi.BadToken
		return nil, refused
	}
	return answer, err
}

// reenroll is simplereenroll (RFC 7030, 4.2.2): by the certificate that is renewed.
func (d estDoor) reenroll(ctx context.Context, c *call, r *http.Request) (any, error) {
	id, err := d.byConnection(ctx, c, r)
	return d.certify(ctx, c, r, id, err)
}

// request is simpleenroll without credentials: it is granted if it was approved, and waits if it may.
func (d estDoor) request(ctx context.Context, c *call, r *http.Request) (any, error) {
	csr, err := d.read(r)
	if err != nil {
		return nil, cmp.Or(d.allowsApproval(), err) // a client that is to get 401 may send nothing at first
	}
	id, err := d.server.decided(ctx, c, csr, waiting{est.RequestID(csr, d.label.Profile), d.label.Profile})
	if err != nil {
		return nil, err
	}
	id.only = d.label.Profile
	if id.token.ID != nil {
		return d.issue(ctx, c, id, csr)
	}
	if err := d.allowsApproval(); err != nil {
		return nil, err
	}
	return d.server.await(ctx, c, id, csr.Raw, "")
}

// certify issues the certificate for an identity, unless err is why there is none.
func (d estDoor) certify(ctx context.Context, c *call, r *http.Request, id *identity, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	csr, err := d.read(r)
	if err != nil {
		return nil, err
	}
	id.only = d.label.Profile
	return d.issue(ctx, c, id, csr)
}

// issue returns the certificate alone (RFC 7030, 4.2.3).
func (d estDoor) issue(ctx context.Context, c *call, id *identity, csr *x509.CertificateRequest) (any, error) {
	answer, err := d.server.certify(ctx, c, id, csr.Raw, "")
	if err != nil {
		return nil, err
	}
	return estCertificates{answer.Certificate}, nil
}

// caCertificates returns the certificates of the CA (RFC 7030, 4.1.3): those above what is issued, the
// issuer first, the other roots in use, and the links between roots.
func (s *Server) caCertificates(ctx context.Context) (estCertificates, error) {
	path, err := s.service.Path(ctx, s.terms.Load().Issuer)
	if err != nil {
		return nil, err
	}
	bundle, err := s.bundleFor(ctx, path[len(path)-1].Certificate)
	if err != nil {
		return nil, err
	}
	var all estCertificates
	for _, a := range path {
		all = append(all, a.Certificate.Raw)
	}
	for _, der := range bundle {
		if !slices.ContainsFunc(all, func(other []byte) bool { return bytes.Equal(der, other) }) {
			all = append(all, der)
		}
	}
	return all, nil
}
