package awsadmin

import (
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"kedge/internal/emulator/policy"
)

// TrustDocument is a trust policy, with what is known of its role.
type TrustDocument struct {
	Document   *policy.Document
	Text       string
	MaxSession time.Duration // of the role; 0: not known
}

// MalformedError reports a trust policy that IAM refuses.
type MalformedError struct{ Err error }

func (e *MalformedError) Error() string {
	return "IAM would refuse this trust policy: " + e.Err.Error()
}
func (e *MalformedError) Unwrap() error { return e.Err }

// ReadTrust reads a trust policy, or what "aws iam get-role" prints. What IAM would refuse is a
// *MalformedError.
func ReadTrust(data []byte) (*TrustDocument, error) {
	t := &TrustDocument{Text: string(data)}
	var out struct {
		Role *struct {
			Policy     json.RawMessage `json:"AssumeRolePolicyDocument"`
			MaxSession int64           `json:"MaxSessionDuration"`
		}
	}
	if err := json.Unmarshal(data, &out); err == nil && out.Role != nil {
		if len(out.Role.Policy) == 0 {
			return nil, errors.New("the role has no AssumeRolePolicyDocument")
		}
		t.Text, t.MaxSession = decoded(out.Role.Policy), time.Duration(out.Role.MaxSession)*time.Second
	}
	var err error
	if t.Document, err = policy.Parse(policy.Trust, []byte(t.Text)); err != nil {
		return nil, &MalformedError{err}
	}
	return t, nil
}

// decoded returns the document of a role: the API has it URL-encoded in a string, and the AWS CLI as an
// object.
func decoded(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return string(raw)
	}
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}
