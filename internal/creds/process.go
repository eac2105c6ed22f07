// Package creds writes temporary credentials in the formats that AWS SDKs read.
//
// It promises exactly the bytes of a format, and nothing when something is missing. It holds no
// state, writes nowhere, and does not check whether credentials are still valid.
package creds

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// process is the JSON document of credential_process.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
type process struct {
	Version         int
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
	AccountID       string `json:"AccountId,omitempty"`
}

// Process returns c as the one JSON object that an SDK reads from a credential_process
// program, without a line ending, as the official helper prints it. Incomplete credentials are
// refused.
func Process(c aws.Credentials) ([]byte, error) {
	if err := complete(c); err != nil {
		return nil, err
	}
	return json.Marshal(&process{ // a pointer: for a value encoding/json visits all types of the program
		Version:         1,
		AccessKeyID:     c.AccessKeyID,
		SecretAccessKey: c.SecretAccessKey,
		SessionToken:    c.SessionToken,
		Expiration:      c.Expires.UTC().Format(time.RFC3339),
		AccountID:       c.AccountID,
	})
}

// complete refuses incomplete credentials: without a token or an expiration an SDK takes them for
// permanent ones.
func complete(c aws.Credentials) error {
	if !c.HasKeys() || c.SessionToken == "" {
		return errors.New("incomplete credentials: a key or the session token is empty")
	}
	if !c.CanExpire || c.Expires.IsZero() {
		return errors.New("incomplete credentials: no expiration")
	}
	return nil
}

// JSON returns the object of [Process] indented, with a line ending.
func JSON(c aws.Credentials) ([]byte, error) {
	document, err := Process(c)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, document, "", "  "); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}
