package enroll

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"

	"kedge/ca"
	"kedge/internal/enrollapi"
)

// Hook asks a program of the operator about a request that the policy allows. It can refuse, and
// shorten, and nothing else. An error means that there is no decision: then nothing is issued. It is
// called concurrently.
type Hook func(context.Context, Question) (Ruling, error)

// Question is what a hook is asked, as JSON.
type Question struct {
	Schema   int      `json:"schema"` // 1; it grows when a field changes its meaning or goes
	Proof    string   `json:"proof"`  // token, approval or renewal
	Name     string   `json:"name"`   // the common name
	DNS      []string `json:"dns,omitempty"`
	URIs     []string `json:"uri,omitempty"`
	IPs      []string `json:"ip,omitempty"`
	Emails   []string `json:"email,omitempty"`
	Profile  string   `json:"profile"`
	Address  string   `json:"address,omitempty"`   // from which the host asks
	KeyPlace string   `json:"key_place,omitempty"` // file, tpm or pkcs11: the host's word
	KeyType  string   `json:"key_type"`            // such as P-256
	Key      string   `json:"key"`                 // the SHA-256 of its SubjectPublicKeyInfo, hexadecimal
	Renews   string   `json:"renews,omitempty"`    // the serial number of the certificate that is renewed
	Token    string   `json:"token,omitempty"`     // the ID of the token
	Request  []byte   `json:"request"`             // PKCS#10 in DER, signed by the key
}

// Ruling is the answer of a hook. It has no field by which a certificate could be more than the policy
// allows.
type Ruling struct {
	Allow    bool
	Reason   string        // for the host when refused, and for the log and the ledger; may be empty
	Lifetime time.Duration // of the certificate, at most; 0: that of the profile
}

// maxReason bounds the reason of a hook, in bytes.
const maxReason = 200

// ask puts a request to the hook of the policy, and returns what is left of it: the longest lifetime, 0
// for no limit, and what the ledger records.
func (p Policy) ask(ctx context.Context, c *call, q Question) (longest time.Duration, words string, err error) {
	if p.Hook == nil {
		return 0, "", nil
	}
	r, err := p.Hook(ctx, q)
	if err != nil {
		refused := refuse(enrollapi.Unavailable, "hook-failed", "the policy of the CA gives no answer at this moment").because(err)
		refused.retry = unavailableRetry
		return 0, "", refused
	}
	reason := plainReason(r.Reason)
	if !r.Allow {
		return 0, "", refuse(enrollapi.Denied, "hook", "%s", strings.TrimSuffix("the policy of the CA refuses it: "+reason, ": "))
	}
	words = "allowed"
	if r.Lifetime > 0 {
		words = fmt.Sprintf("at most %v", ca.Duration(r.Lifetime))
	}
	if reason != "" {
		words += ": " + reason
	}
	c.hook = words
	return r.Lifetime, words, nil
}

// plainReason makes a reason one line that cannot drive a terminal.
func plainReason(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " "))
	for len(text) > maxReason {
		runes := []rune(text)
		text = string(runes[:len(runes)-1])
	}
	return strings.TrimSpace(text)
}

// question describes a request of an identity that the policy allows.
func question(c *call, id *identity, csr *x509.CertificateRequest, r ca.Request, place string) Question {
	q := Question{
		Schema: 1, Proof: id.proof, Name: r.Name, DNS: r.DNS, URIs: texts(r.URIs), IPs: texts(r.IPs), Emails: r.Emails, Profile: id.profile,
		KeyPlace: place, KeyType: ca.KeyType(csr.PublicKey), Key: c.key, Token: hex.EncodeToString(id.token.ID), Request: csr.Raw,
	}
	if c.from.IsValid() {
		q.Address = c.from.String()
	}
	if old := id.leaf; old != nil { // a renewal has its names
		q.Name, q.Renews, q.DNS, q.URIs, q.Emails = old.Subject.CommonName, ca.SerialHex(old), old.DNSNames, texts(old.URIs), old.EmailAddresses
		q.IPs = texts(old.IPAddresses)
	}
	return q
}

func texts[T fmt.Stringer](values []T) []string {
	var all []string
	for _, v := range values {
		all = append(all, v.String())
	}
	return all
}
