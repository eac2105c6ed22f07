package enroll

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"log/slog"
	"net/netip"
	"time"
)

// call is one request, with its attributes in the log.
type call struct {
	method  string // of HTTP
	path    string
	from    netip.Addr // of the client; invalid for a Unix socket
	begun   time.Time
	version string        // of kedge on the host, as the host states it
	renews  bool          // it is sent to where certificates are renewed
	over    time.Duration // how long the address has to wait; 0: it is not over its limit
	due     bool          // a renewal, verified, of a certificate that is due
	proof   string
	name    string
	profile string
	rule    string // that decided
	request string // the ID of one for approval
	old     string // serial number of the certificate to be renewed or revoked
	issued  string // serial number of the certificate in the answer
	key     string // ca.KeyHash of the requester's key
	hook    string // what the policy hook said; empty if it was not asked
}

func (c *call) setKey(csr *x509.CertificateRequest) {
	sum := sha256.Sum256(csr.RawSubjectPublicKeyInfo)
	c.key = hex.EncodeToString(sum[:])
}

// record logs the decision. left is how many refusals the log did not get before this one.
func (c *call) record(log *slog.Logger, now time.Time, err error, left int) {
	attributes := []any{"method", c.method, "path", c.path, "rule", c.rule}
	for _, a := range [][2]string{
		{"proof", c.proof}, {"name", c.name}, {"profile", c.profile}, {"old", c.old}, {"serial", c.issued}, {"key", c.key}, {"hook", c.hook}, {"request", c.request},
	} {
		if a[1] != "" {
			attributes = append(attributes, a[0], a[1])
		}
	}
	attributes = append(attributes, "address", c.from.String(), "ms", now.Sub(c.begun).Milliseconds())
	if left > 0 {
		attributes = append(attributes, "left_out", left)
	}
	if err != nil {
		log.Warn("refused", append(attributes, "error", err.Error())...)
		return
	}
	switch c.rule {
	case ruleWaits:
		log.Info("a request waits for approval", attributes...)
	case ruleWaitsStill:
		log.Debug("a request waits for approval", attributes...)
	default:
		log.Info("granted", attributes...)
	}
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }
