package emulator

import (
	"cmp"
	"crypto/x509"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"kedge/internal/emulator/arn"
	"kedge/internal/emulator/policy"
	"kedge/internal/emulator/wire"
)

// ErrNotAllowed is the error of a [Simulation] whose trust policy does not allow the session.
var ErrNotAllowed = errors.New("the trust policy does not allow the session")

// Simulation is a question to a trust policy without a request: may a host with this certificate
// have a session of the role?
type Simulation struct {
	TrustPolicy     []byte    // JSON
	PolicyFile      string    // its source, for messages; may be empty
	Certificate     []byte    // of the host, in PEM or DER; of several the first
	CertificateFile string    // its source, for messages; may be empty
	TrustAnchorARN  string    // empty: the one that an [Emulator] makes up
	RoleARN         string    // empty: the same
	SessionName     string    // empty: the serial number, as without roleSessionName
	Now             time.Time // the time of the session
}

// Simulated is the answer of a [Simulation]. It can be marshaled as JSON.
type Simulated struct {
	Schema         int               `json:"schema"` // grows when a member changes its meaning or goes
	Outcome        policy.Outcome    `json:"outcome"`
	Role           string            `json:"roleArn"`
	TrustAnchor    string            `json:"trustAnchorArn"`
	SourceIdentity string            `json:"sourceIdentity"`
	SessionName    string            `json:"sessionName"`
	Tags           map[string]string `json:"tags"`
	Decisions      decisions         `json:"decisions"`
}

// Run asks the trust policy. An error is not its decision: what is given is malformed, or CreateSession would
// refuse the certificate whatever the policy has.
func (s Simulation) Run() (*Simulated, error) {
	trust, err := parseTrustPolicy(string(s.TrustPolicy))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmp.Or(s.PolicyFile, "the policy"), err)
	}
	session, err := s.session()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmp.Or(s.CertificateFile, "the certificate"), err)
	}
	d := session.Authorize(trust)
	return &Simulated{
		Schema: 1, Outcome: d.Outcome, Role: session.Role, TrustAnchor: session.TrustAnchor, SourceIdentity: session.SourceIdentity,
		SessionName: session.SessionName, Tags: session.Tags, Decisions: trustDecisions(d.Actions),
	}, nil
}

// Err returns [ErrNotAllowed] unless the trust policy allows the session.
func (s *Simulated) Err() error {
	if s.Outcome != policy.Allowed {
		return ErrNotAllowed
	}
	return nil
}

// WriteText writes what the trust policy is asked, its decision about each action, and the reasons.
func (s *Simulated) WriteText(w io.Writer) error {
	lines := append(s.describe(), s.Decisions.Lines()...)
	lines = append(lines, "decision: "+string(s.Outcome), "")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n"))
	return err
}

// WriteJSON writes the same as one JSON document.
func (s *Simulated) WriteJSON(w io.Writer) error {
	data, err := json.Marshal(s, json.Deterministic(true), jsontext.AllowInvalidUTF8(true), jsontext.WithIndent("  "))
	if err == nil {
		_, err = w.Write(append(data, '\n'))
	}
	return err
}

// session is the session that CreateSession would make.
func (s Simulation) session() (policy.CertificateSession, error) {
	none := policy.CertificateSession{}
	leaf, err := parseHostCertificate(s.Certificate)
	if err != nil {
		return none, err
	}
	refusal := checkLeaf(leaf)
	if refusal == nil {
		refusal = checkTags(principalTags(leaf))
	}
	if why := checkValidity(leaf, s.Now); refusal == nil && why != "" {
		refusal = wire.Denied(textUntrusted, "%s", why)
	}
	if refusal != nil {
		err := fmt.Errorf("CreateSession would refuse it: %s (%s)", refusal.Message, refusal.Why)
		if leaf.IsCA {
			return none, &HostCertificateError{err.Error()}
		}
		return none, err
	}
	c := Config{}.withDefaults()
	anchor, err := arn.Parse(cmp.Or(s.TrustAnchorARN, c.madeUpARN("trust-anchor", 0)), rolesService, "trust-anchor")
	if err != nil {
		return none, err
	}
	session := certificateSession(cmp.Or(s.RoleARN, c.Roles[0].ARN), anchor, leaf, principalTags(leaf), s.Now)
	if s.SessionName != "" {
		session.SessionName = s.SessionName
	}
	return session, nil
}

// HostCertificateError reports that what is given is not the certificate of a host.
type HostCertificateError struct{ text string }

func (e *HostCertificateError) Error() string { return e.text }

// parseHostCertificate reads the first certificate of a PEM file, or one in DER.
func parseHostCertificate(data []byte) (*x509.Certificate, error) {
	if block, _ := pem.Decode(data); block != nil {
		if block.Type != "CERTIFICATE" {
			return nil, &HostCertificateError{fmt.Sprintf("the first block of the PEM is a %s, not a CERTIFICATE", block.Type)}
		}
		data = block.Bytes
	}
	leaf, err := x509.ParseCertificate(data)
	if err != nil {
		return nil, &HostCertificateError{"this is no certificate in PEM or DER"}
	}
	return leaf, nil
}

// describe returns what the trust policy is asked about.
func (s *Simulated) describe() []string {
	lines := []string{
		"role: " + s.Role,
		"trust anchor: " + s.TrustAnchor,
		"source identity: " + s.SourceIdentity,
		"session name: " + s.SessionName,
	}
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		lines = append(lines, fmt.Sprintf("tag %s: %s", key, s.Tags[key]))
	}
	return lines
}

// CheckTrustAnchorARN returns an error if s is not the ARN of a trust anchor.
func CheckTrustAnchorARN(s string) error {
	_, err := arn.Parse(s, rolesService, "trust-anchor")
	return err
}

// CheckSessionName returns an error if s is not a name that a request may choose for its session.
func CheckSessionName(s string) error {
	if checkSessionName("roleSessionName", s) != nil {
		return fmt.Errorf("%q: a session name has 2 to 64 letters, digits and characters of _+=,.@-", s)
	}
	return nil
}
