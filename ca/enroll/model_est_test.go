package enroll

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"kedge/internal/enrollapi"
	"kedge/internal/est"
)

// estMessage is a request of EST.
type estMessage struct {
	request []byte
	token   *enrollapi.TokenProof // the password; nil: none
	leaf    *x509.Certificate     // shown on the connection; nil: none
	key     crypto.Signer         // of leaf
}

// estPath is the path of an operation, at a label by which the same is issued as at any other.
func (m *model) estPath(operation string) string {
	return est.Path + "/" + pick(m, []string{"", "lines/", "workload/"}) + operation
}

// byEST changes a request for a certificate into one of EST, of the same proof.
func (m *model) byEST(op *request, operation string, message estMessage) *request {
	op.text += " by EST"
	op.path = m.estPath(operation)
	op.message = func(*modelServer) any { return message }
	return op
}

// askEST sends a request on a connection of its own.
func (s *modelServer) askEST(path string, m estMessage) (o outcome, err error) {
	r, err := http.NewRequest(http.MethodPost, s.url+path, strings.NewReader(base64.StdEncoding.EncodeToString(m.request)))
	if err != nil {
		return o, err
	}
	r.Header.Set("Content-Type", est.RequestType)
	if m.token != nil {
		byBasic(*m.token)(r)
	}
	transport := s.client.Transport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	if m.leaf != nil {
		transport.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &tls.Certificate{Certificate: [][]byte{m.leaf.Raw}, PrivateKey: m.key}, nil
		}
	}
	response, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return o, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return o, err
	}
	if response.StatusCode != http.StatusOK {
		o.code = codeOf(string(body))
		if want := m.status(path, o.code); o.code == "" || response.StatusCode != want {
			return o, fmt.Errorf("%s, want %d: %s", response.Status, want, body)
		}
		return o, nil
	}
	certs, err := readCerts(body)
	if err != nil {
		return o, err
	}
	o.leaf = certs[0]
	return o, nil
}

// status is that of a refusal: at simpleenroll a device whose certificate is refused is asked for a token.
func (m estMessage) status(path string, code enrollapi.Code) int {
	refused := []enrollapi.Code{enrollapi.Revoked, enrollapi.Ended, enrollapi.BeyondGrace}
	if m.token == nil && strings.HasSuffix(path, est.SimpleEnroll) && slices.Contains(refused, code) {
		return http.StatusUnauthorized
	}
	return code.Status()
}

// codeOf returns the code that the JSON of a refusal would have; empty if the text is not known.
func codeOf(text string) enrollapi.Code {
	for part, code := range map[string]enrollapi.Code{
		"the token has expired":                 enrollapi.TokenExpired,
		"the token has been used":               enrollapi.TokenSpent,
		"the token was revoked":                 enrollapi.TokenRevoked,
		"the token is not for this name":        enrollapi.NameNotAllowed,
		"another key has the name":              enrollapi.Held,
		"no longer gives certificates to":       enrollapi.Denied,
		"a certificate of this key was revoked": enrollapi.KeyRevoked,
		" expired too long ago, or too often":   enrollapi.BeyondGrace,
		" already, with another key than that":  enrollapi.Clone,
		" can no longer be renewed: ":           enrollapi.Ended,
		"\" was revoked\n":                      enrollapi.Revoked,
	} {
		if strings.Contains(text, part) {
			return code
		}
	}
	return ""
}
