package session

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Session is what the service gave: temporary credentials of an assumed role. Every field
// but SubjectARN, SourceIdentity and RequestID is set.
type Session struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time // UTC, by the service's clock

	RoleARN        string // as it was asked for
	AssumedRoleARN string // arn:aws:sts::111122223333:assumed-role/name/session
	AccountID      string // of the role
	SubjectARN     string // the service's record of the certificate's subject
	SourceIdentity string // such as "CN=web-1"
	RequestID      string

	// Skew is how far this host's clock is behind the service's (negative: ahead); zero when
	// they agree to the minute. Five minutes make other AWS calls fail.
	Skew time.Duration
}

// String names the session without its secrets, so that printing one is safe.
func (s Session) String() string {
	return fmt.Sprintf("session of %s until %s", s.AssumedRoleARN, s.Expiration.Format(time.RFC3339))
}

// GoString is String, for %#v.
func (s Session) GoString() string { return s.String() }

// MarshalText is String, for encoding/json and log/slog. It never fails.
func (s Session) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// createSessionOutput is the body of an answer, as far as it is used. Every type in it has a name:
// for one without encoding/json looks through all types of the program, which would be a twentieth
// of the time that credential-process takes.
type createSessionOutput struct {
	CredentialSet credentialSets `json:"credentialSet"`
	SubjectARN    string         `json:"subjectArn"`
}

type credentialSets []credentialSet

type credentialSet struct {
	AssumedRoleUser assumedRoleUser `json:"assumedRoleUser"`
	Credentials     credentials     `json:"credentials"`
	RoleARN         string          `json:"roleArn"`
	SourceIdentity  string          `json:"sourceIdentity"`
}

type assumedRoleUser struct {
	ARN string `json:"arn"`
}

type credentials struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
	SessionToken    string `json:"sessionToken"`
	Expiration      string `json:"expiration"`
}

// decode reads the body of a 201 and checks that it is the session that was asked for.
func (a answer) decode(role ARN) (*Session, error) {
	var out createSessionOutput
	// The decoder's error is dropped: it may quote what it stumbled on.
	if json.Unmarshal(a.body, &out) != nil {
		return nil, a.wrong("answered with JSON that is cut off or not a session")
	}
	if n := len(out.CredentialSet); n != 1 {
		return nil, a.wrong("answered with %d credential sets, not one", n)
	}
	set := out.CredentialSet[0]
	if set.RoleARN != role.String() {
		return nil, a.wrong("answered with credentials of the role %q, not of %q", oneLine(set.RoleARN), role)
	}
	if err := a.checkFields(set, out.SubjectARN); err != nil {
		return nil, err
	}
	s, err := a.sessionOf(set, role)
	if err == nil {
		s.SubjectARN = out.SubjectARN
	}
	return s, err
}

// sessionOf checks what both ways to a session answer with.
func (a answer) sessionOf(set credentialSet, role ARN) (*Session, error) {
	assumed, err := ParseARN(set.AssumedRoleUser.ARN)
	if err != nil || assumed.Service != "sts" || assumed.Partition != role.Partition || assumed.Account != role.Account {
		return nil, a.wrong("answered with the assumed role %q, which is none of account %s", oneLine(set.AssumedRoleUser.ARN), role.Account)
	}
	expiration, err := a.expiration(set.Credentials.Expiration)
	if err != nil {
		return nil, err
	}
	return &Session{
		AccessKeyID:     set.Credentials.AccessKeyID,
		SecretAccessKey: set.Credentials.SecretAccessKey,
		SessionToken:    set.Credentials.SessionToken,
		Expiration:      expiration,
		RoleARN:         role.String(),
		AssumedRoleARN:  set.AssumedRoleUser.ARN,
		AccountID:       assumed.Account,
		SourceIdentity:  set.SourceIdentity,
		RequestID:       a.requestID(),
		Skew:            a.skew(),
	}, nil
}

// checkFields refuses secrets that are missing or could not be put into a header, and names
// that could drive a terminal.
func (a answer) checkFields(set credentialSet, subject string) error {
	for _, field := range []struct{ name, value string }{
		{"accessKeyId", set.Credentials.AccessKeyID},
		{"secretAccessKey", set.Credentials.SecretAccessKey},
		{"sessionToken", set.Credentials.SessionToken},
	} {
		if field.value == "" {
			return a.wrong("answered without %s", field.name)
		}
		if strings.ContainsFunc(field.value, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			return a.wrong("answered with characters in %s that no AWS credentials have", field.name)
		}
	}
	for _, name := range []string{set.SourceIdentity, subject} {
		if strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }) {
			return a.wrong("answered with control characters in a name")
		}
	}
	return nil
}

// expiration must lie ahead by the service's clock. Credentials without, or with a past
// one, would be used for ever or asked for without end.
func (a answer) expiration(value string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return time.Time{}, a.wrong("answered with the expiration %q, which is not a time of RFC 3339", oneLine(value))
	}
	if now := a.serverTime(); !at.After(now) {
		return time.Time{}, a.wrong("answered with credentials that expired at %s; it is %s there", at.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return at.UTC(), nil
}
