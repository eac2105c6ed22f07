package emulator

import (
	"encoding/xml"
	"time"

	"kedge/internal/emulator/wire"
)

// The answers of STS, in the XML of the query protocol (STS reference, "Examples").

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

type getCallerIdentityResponse struct {
	XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
	Arn     string   `xml:"GetCallerIdentityResult>Arn"`
	UserID  string   `xml:"GetCallerIdentityResult>UserId"`
	Account string   `xml:"GetCallerIdentityResult>Account"`
	wire.Metadata
}

type assumeRoleResponse struct {
	XMLName          xml.Name        `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleResponse"`
	Credentials      xmlCredentials  `xml:"AssumeRoleResult>Credentials"`
	AssumedRoleUser  assumedRoleUser `xml:"AssumeRoleResult>AssumedRoleUser"`
	PackedPolicySize int             `xml:"AssumeRoleResult>PackedPolicySize"`
	TokenSize        int             `xml:"AssumeRoleResult>SessionTokenSize"`
	TokenUtilization int             `xml:"AssumeRoleResult>SessionTokenUtilization"`
	SourceIdentity   string          `xml:"AssumeRoleResult>SourceIdentity,omitempty"`
	wire.Metadata
}

type getSessionTokenResponse struct {
	XMLName          xml.Name       `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetSessionTokenResponse"`
	Credentials      xmlCredentials `xml:"GetSessionTokenResult>Credentials"`
	TokenSize        int            `xml:"GetSessionTokenResult>SessionTokenSize"`
	TokenUtilization int            `xml:"GetSessionTokenResult>SessionTokenUtilization"`
	wire.Metadata
}

type xmlCredentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

type assumedRoleUser struct {
	AssumedRoleID string `xml:"AssumedRoleId"`
	Arn           string
}

func credentialsOf(s *Session) xmlCredentials {
	return xmlCredentials{s.AccessKeyID, s.secretAccessKey, s.sessionToken, s.Expiration.Format(time.RFC3339)}
}
