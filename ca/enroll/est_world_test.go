package enroll

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"kedge/internal/enrollapi"
	"kedge/internal/est"
)

const (
	estEnroll   = est.Path + "/" + est.SimpleEnroll
	estReenroll = est.Path + "/" + est.SimpleReenroll
)

// estAt is simpleenroll at a label; without one if it is empty.
func estAt(label string) string {
	return strings.ReplaceAll(est.Path+"/"+label+"/"+est.SimpleEnroll, "//", "/")
}

func isEST(path string) bool { return strings.HasPrefix(path, est.Path) }

// pathName is how a path is called in the name of a test.
func pathName(path string) string {
	return strings.NewReplacer("/v1/", "", est.Path+"/", "est-").Replace(path)
}

// postEST sends a request of EST with a body, which it encodes, over TLS 1.3.
func (w *world) postEST(path string, body []byte, change ...func(*http.Request)) result {
	w.t.Helper()
	return w.sendEST(http.MethodPost, path, []byte(base64.StdEncoding.EncodeToString(body)), change...)
}

// sendEST sends a request of EST with a body as it is.
func (w *world) sendEST(method, path string, body []byte, change ...func(*http.Request)) result {
	w.t.Helper()
	usual := func(r *http.Request) {
		r.Header.Set("Content-Type", "application/pkcs10")
		r.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true}
	}
	got, data := w.exchange(method, path, body, append([]func(*http.Request){usual}, change...)...)
	switch got.status {
	case http.StatusOK:
		leaf := estCerts(w.t, data)[0]
		got.answer = enrollapi.Answer{Certificate: leaf.Raw, Name: leaf.Subject.CommonName}
	case http.StatusAccepted:
		words := strings.Fields(string(data))
		got.waits.ID = words[len(words)-1]
	default:
		got.text = string(data)
		if programs := regexp.MustCompile(`\bkedge (enroll|renew)|--(name|profile)\b`); programs.MatchString(got.text) {
			w.t.Errorf("a device is given a command of kedge: %s", got.text)
		}
	}
	return got
}

// byLeaf is a connection on which the client has shown a certificate, with a signature of its key.
func byLeaf(leaf *x509.Certificate) func(*http.Request) {
	return func(r *http.Request) { r.TLS.PeerCertificates = []*x509.Certificate{leaf} }
}

// byBasic is HTTP Basic with a token.
func byBasic(p enrollapi.TokenProof) func(*http.Request) {
	token := enrollapi.Token{Secret: p.Secret, URL: "https://ca.example.com"}
	copy(token.ID[:], p.ID)
	return func(r *http.Request) { r.SetBasicAuth("device", token.String()) }
}

// estMessage returns the body and the credentials of a proof, for a name: those of messages.
func (h *machine) estMessage(proof, name string) (body []byte, change []func(*http.Request)) {
	next := csr(h.w.t, newKey(h.w.t), name)
	switch proof {
	case "header":
		return next, nil
	case "token":
		return csr(h.w.t, h.key, name), []func(*http.Request){byBasic(h.token)}
	case "approval":
		return csr(h.w.t, h.key, name), nil
	case "renewal":
		return next, []func(*http.Request){byLeaf(h.leaf)}
	case "unenroll": // the credentials alone
		return nil, []func(*http.Request){byLeaf(h.leaf)}
	case "both":
		return csr(h.w.t, h.key, name), []func(*http.Request){byLeaf(h.leaf), byBasic(h.token)}
	}
	return nil, nil
}

// byEST returns what a proof gets at an endpoint of EST: what it gets elsewhere.
func byEST(proof, path, situation string) cell {
	empty := cell{code: enrollapi.BadRequest, rule: "request-form"}
	certificate := proof == "renewal" || proof == "unenroll" || path == estReenroll && proof == "both"
	switch {
	case certificate && situation == "other CA":
		return challenged(path, cell{code: enrollapi.UnknownCertificate, rule: "unknown-certificate"})
	case proof == "unenroll":
		return empty
	case certificate && proof == "both":
		return wanted(proof, enrollapi.PathRenew, situation)
	case certificate:
		return challenged(path, byRenewal()[situation])
	case path == estReenroll && proof == "header":
		return cell{code: enrollapi.UnknownCertificate, rule: "proxy"}
	case path == estReenroll:
		return cell{code: enrollapi.UnknownCertificate, rule: "no-certificate"}
	case proof == "token" || proof == "both":
		return byToken()[situation]
	case proof == "approval":
		return byApproval()[situation]
	case proof == "header":
		return byNewRequest()[situation]
	}
	return empty
}

// pkcs7 is a SignedData with certificates alone (RFC 5652, 5.1), as encoding/asn1 reads it.
type pkcs7 struct {
	Type    asn1.ObjectIdentifier
	Content struct {
		Version int
		Digests []pkix.AlgorithmIdentifier `asn1:"set"`
		Inner   struct{ Type asn1.ObjectIdentifier }
		Certs   asn1.RawValue   `asn1:"tag:0"`
		Signers []asn1.RawValue `asn1:"set"`
	} `asn1:"explicit,tag:0"`
}

// estCerts reads the certificates of an answer.
func estCerts(t *testing.T, body []byte) []*x509.Certificate {
	t.Helper()
	certs, err := readCerts(body)
	if err != nil {
		t.Fatal(err)
	}
	return certs
}

// readCerts reads the certificates of an answer; there is at least one.
func readCerts(body []byte) ([]*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(string(body))
	if err != nil {
		return nil, err
	}
	var message pkcs7
	rest, err := asn1.Unmarshal(der, &message)
	if err != nil || len(rest) != 0 || message.Type.String() != "1.2.840.113549.1.7.2" || message.Content.Version != 1 || len(message.Content.Signers) != 0 {
		return nil, fmt.Errorf("%+v, %v", message, err)
	}
	certs, err := x509.ParseCertificates(message.Content.Certs.Bytes)
	if err != nil || len(certs) == 0 {
		return nil, fmt.Errorf("%d certificates, %v", len(certs), err)
	}
	return certs, nil
}
