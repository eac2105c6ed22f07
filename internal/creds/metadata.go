package creds

import (
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// timeLayout is the format of times in the endpoints of EC2 and ECS: RFC 3339 in UTC, in whole
// seconds.
const timeLayout = "2006-01-02T15:04:05Z"

// imds is the document below security-credentials.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
type imds struct {
	Code            string
	LastUpdated     string
	Type            string
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	Token           string
	Expiration      string
	AccountID       string `json:"AccountId,omitempty"`
}

// IMDS returns c in the format of EC2's metadata service below iam/security-credentials, where
// updated is when c was received. Incomplete credentials are refused.
func IMDS(c aws.Credentials, updated time.Time) ([]byte, error) {
	c.AccountID = ""
	return IMDSExtended(c, updated)
}

// IMDSExtended returns c in the format of EC2's metadata service below
// iam/security-credentials-extended: with the account, if it is known.
func IMDSExtended(c aws.Credentials, updated time.Time) ([]byte, error) {
	if err := complete(c); err != nil {
		return nil, err
	}
	return json.Marshal(imds{
		Code:            "Success",
		LastUpdated:     updated.UTC().Format(timeLayout),
		Type:            "AWS-HMAC",
		AccessKeyID:     c.AccessKeyID,
		SecretAccessKey: c.SecretAccessKey,
		Token:           c.SessionToken,
		Expiration:      c.Expires.UTC().Format(timeLayout),
		AccountID:       c.AccountID,
	})
}

// container is the document of the container credentials endpoint.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
type container struct {
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	Token           string
	Expiration      string
	AccountID       string `json:"AccountId,omitempty"`
	RoleARN         string `json:"RoleArn,omitempty"`
}

// Container returns c, credentials of the role roleARN (may be empty), in the format of the
// endpoints of ECS and EKS. Incomplete credentials are refused.
func Container(c aws.Credentials, roleARN string) ([]byte, error) {
	if err := complete(c); err != nil {
		return nil, err
	}
	return json.Marshal(container{
		AccessKeyID:     c.AccessKeyID,
		SecretAccessKey: c.SecretAccessKey,
		Token:           c.SessionToken,
		Expiration:      c.Expires.UTC().Format(timeLayout),
		AccountID:       c.AccountID,
		RoleARN:         roleARN,
	})
}

// ContainerError returns the document of an error of the container credentials endpoint.
func ContainerError(code, message string) []byte {
	document, err := json.Marshal(struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}{code, message})
	if err != nil { // two strings can always be encoded
		return []byte("{}")
	}
	return document
}
