package emulator

import (
	"encoding/xml"
	"net/http"
	"time"
)

// The answers of STS, in the XML of the query protocol (STS reference, "Examples").

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

type getCallerIdentityResponse struct {
	XMLName  xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
	Arn      string   `xml:"GetCallerIdentityResult>Arn"`
	UserID   string   `xml:"GetCallerIdentityResult>UserId"`
	Account  string   `xml:"GetCallerIdentityResult>Account"`
	Metadata responseMetadata
}

type assumeRoleResponse struct {
	XMLName          xml.Name        `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleResponse"`
	Credentials      xmlCredentials  `xml:"AssumeRoleResult>Credentials"`
	AssumedRoleUser  assumedRoleUser `xml:"AssumeRoleResult>AssumedRoleUser"`
	PackedPolicySize int             `xml:"AssumeRoleResult>PackedPolicySize"`
	SourceIdentity   string          `xml:"AssumeRoleResult>SourceIdentity,omitempty"`
	Metadata         responseMetadata
}

type getSessionTokenResponse struct {
	XMLName     xml.Name       `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetSessionTokenResponse"`
	Credentials xmlCredentials `xml:"GetSessionTokenResult>Credentials"`
	Metadata    responseMetadata
}

type responseMetadata struct {
	XMLName   xml.Name `xml:"ResponseMetadata"`
	RequestID string   `xml:"RequestId"`
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

type errorResponse struct {
	XMLName   xml.Name `xml:"ErrorResponse"`
	Namespace string   `xml:"xmlns,attr"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

func credentialsOf(s *Session) xmlCredentials {
	return xmlCredentials{s.AccessKeyID, s.secretAccessKey, s.sessionToken, s.Expiration.Format(time.RFC3339)}
}

func writeXMLError(w http.ResponseWriter, refusal *apiError) {
	blame := "Sender"
	if refusal.status >= http.StatusInternalServerError {
		blame = "Receiver"
	}
	writeXML(w, refusal.status, &errorResponse{Namespace: stsNamespace, Type: blame, Code: refusal.code, Message: refusal.message, RequestID: requestID(w)})
}

func requestID(w http.ResponseWriter) string { return w.Header().Get("X-Amzn-Requestid") }

func writeXML(w http.ResponseWriter, status int, value any) {
	switch v := value.(type) {
	case *getCallerIdentityResponse:
		v.Metadata.RequestID = requestID(w)
	case *assumeRoleResponse:
		v.Metadata.RequestID = requestID(w)
	case *getSessionTokenResponse:
		v.Metadata.RequestID = requestID(w)
	}
	data, _ := xml.MarshalIndent(value, "", "  ") // only strings and numbers are in it
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(data)
}
