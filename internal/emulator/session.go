package emulator

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"kedge/internal/emulator/arn"
	"kedge/internal/emulator/iam"
	"kedge/internal/emulator/wire"
)

// Session describes issued temporary credentials. It has no secret in it.
type Session struct {
	AccessKeyID    string            `json:"accessKeyId"`
	RoleARN        string            `json:"roleArn,omitzero"`
	AssumedRoleARN string            `json:"assumedRoleArn"` // arn:aws:sts::ACCOUNT:assumed-role/ROLE/NAME; a user's own ARN after GetSessionToken
	UserID         string            `json:"userId"`         // AROA…:NAME
	Account        string            `json:"account"`
	SourceIdentity string            `json:"sourceIdentity,omitzero"`
	OriginSubject  string            `json:"originSubject,omitzero"` // of trusted identity propagation
	SubjectARN     string            `json:"subjectArn,omitzero"`    // the certificate's, for sessions of CreateSession
	TrustAnchorARN string            `json:"trustAnchorArn,omitzero"`
	ProfileARN     string            `json:"profileArn,omitzero"`
	SerialNumber   string            `json:"serialNumber,omitzero"` // of the leaf, in decimal
	Tags           map[string]string `json:"tags,omitzero"`
	Policy         string            `json:"policy,omitzero"`         // session policy of AssumeRole or of the profile
	PolicyARNs     []string          `json:"policyArns,omitzero"`     // managed session policies of AssumeRole or of the profile
	TransitiveTags []string          `json:"transitiveTags,omitzero"` // keys of the tags that are passed to chained sessions
	Issued         time.Time         `json:"issued"`
	Expiration     time.Time         `json:"expiration"`

	secretAccessKey, sessionToken string
}

// issue issues credentials for what authorize granted.
func (e *Emulator) issue(g *sessionGrant, leaf *x509.Certificate, now time.Time) (*Session, *wire.Error) {
	s := newRoleSession(g.role, g.name, now, g.duration)
	s.SourceIdentity = sourceIdentityOf(leaf)
	s.TrustAnchorARN = g.anchor.ARN
	s.ProfileARN = g.profile.ARN
	s.SerialNumber = leaf.SerialNumber.String()
	s.Tags, s.OriginSubject = g.tags, g.origin
	s.PolicyARNs = g.profile.ManagedPolicyARNs // guide, "getting-started": they limit the session
	if g.profile.SessionPolicy != nil {
		s.Policy = *g.profile.SessionPolicy
	}
	var refusal *wire.Error
	if s.SubjectARN, refusal = e.resources.RecordSession(g.anchor, leaf, now); refusal != nil {
		return nil, refusal
	}
	return s, e.remember(s)
}

func (e *Emulator) remember(s *Session) *wire.Error {
	if err := e.sessions.add(s); err != nil {
		return &wire.Error{Status: http.StatusInternalServerError, Code: "InternalServerException", Message: "The session could not be stored", Why: err.Error()}
	}
	return nil
}

// newRoleSession generates credentials that look like STS's: an access key id of ASIA and 16
// characters, a secret of 40, an opaque token (IAM guide, "Unique identifiers").
func newRoleSession(r *iam.Role, name string, now time.Time, duration time.Duration) *Session {
	role, _ := arn.Parse(r.ARN, "iam", "role") // validated where it was made
	s := newSession(now, duration)
	s.RoleARN = r.ARN
	s.AssumedRoleARN = arn.ARN{Partition: role.Partition, Service: "sts", Account: role.Account, Resource: "assumed-role/" + role.ID() + "/" + name}.String()
	s.UserID = r.ID + ":" + name
	s.Account = role.Account
	return s
}

func newSession(now time.Time, duration time.Duration) *Session {
	issued := now.UTC().Truncate(time.Second)
	return &Session{
		AccessKeyID:     "ASIA" + base32.StdEncoding.EncodeToString(random(10)),
		secretAccessKey: base64.StdEncoding.EncodeToString(random(30)),
		sessionToken:    base64.StdEncoding.EncodeToString(random(300)),
		Issued:          issued,
		Expiration:      issued.Add(duration),
	}
}

// maxTokenSize is the most bytes of a session token (STS reference, AssumeRole, MinimumSessionTokenSize).
const maxTokenSize = 4096

// leastTokenSize: STS reference, AssumeRole and GetSessionToken, MinimumSessionTokenSize.
func leastTokenSize(parameters wire.Parameters) (int, *wire.Error) {
	text, ok := parameters["MinimumSessionTokenSize"]
	if !ok {
		return 0, nil
	}
	size, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, wire.NewError(http.StatusBadRequest, "MalformedInput", "MinimumSessionTokenSize is not a number", "%q", text)
	case size < 0:
		return 0, wire.ForQuery(wire.Constraint("minimumSessionTokenSize", text, "have value greater than or equal to 0"))
	case size > maxTokenSize:
		return 0, wire.ForQuery(wire.Constraint("minimumSessionTokenSize", text, fmt.Sprintf("have value less than or equal to %d", maxTokenSize)))
	}
	return size, nil
}

// lengthenToken gives a new session a token of at least so many bytes.
func (s *Session) lengthenToken(least int) {
	if least > len(s.sessionToken) {
		s.sessionToken = base64.StdEncoding.EncodeToString(random((least*3 + 3) / 4))
	}
}

// tokenUtilization returns the size of the token in percent of the most.
func (s *Session) tokenUtilization() int { return len(s.sessionToken) * 100 / maxTokenSize }

// uniqueID returns an id of 21 characters that depends only on the name.
func uniqueID(prefix, name string) string {
	sum := sha256.Sum256([]byte(name))
	return prefix + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: see crypto/rand
	return b
}

// answer returns CreateSession's output (guide, "authentication-create-session").
func (s *Session) answer() map[string]any {
	return map[string]any{
		"credentialSet": []any{map[string]any{
			"assumedRoleUser": map[string]any{"arn": s.AssumedRoleARN, "assumedRoleId": s.UserID},
			"credentials": map[string]any{
				"accessKeyId": s.AccessKeyID, "secretAccessKey": s.secretAccessKey, "sessionToken": s.sessionToken,
				"expiration": s.Expiration.Format(time.RFC3339),
			},
			"packedPolicySize": packedSize(s.Tags),
			"roleArn":          s.RoleARN,
			"sourceIdentity":   s.SourceIdentity,
		}},
		"subjectArn": s.SubjectARN,
	}
}
