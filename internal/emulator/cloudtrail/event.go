package cloudtrail

import (
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"kedge/internal/emulator/wire"
)

// Event is one record (CT cloudtrail-event-reference-record-contents).
type Event struct {
	EventVersion       string     `json:"eventVersion"`
	UserIdentity       Identity   `json:"userIdentity"`
	EventTime          string     `json:"eventTime"` // RFC 3339, in UTC
	EventSource        string     `json:"eventSource"`
	EventName          string     `json:"eventName"`
	AWSRegion          string     `json:"awsRegion"`
	SourceIPAddress    string     `json:"sourceIPAddress"`
	UserAgent          string     `json:"userAgent"`
	ErrorCode          string     `json:"errorCode,omitzero"`
	ErrorMessage       string     `json:"errorMessage,omitzero"`
	RequestParameters  Members    `json:"requestParameters"` // null if there are none
	ResponseElements   Members    `json:"responseElements"`  // null for what changes nothing
	RequestID          string     `json:"requestID"`
	EventID            string     `json:"eventID"`
	ReadOnly           bool       `json:"readOnly"`
	Resources          []Resource `json:"resources,omitzero"`
	EventType          string     `json:"eventType"`
	ManagementEvent    bool       `json:"managementEvent"`
	RecipientAccountID string     `json:"recipientAccountId"`
	SharedEventID      string     `json:"sharedEventID,omitzero"` // of the events of one call in two accounts
	EventCategory      string     `json:"eventCategory"`
	TLSDetails         *TLS       `json:"tlsDetails,omitzero"`
}

// Identity is who made a call (CT cloudtrail-event-reference-user-identity).
type Identity struct {
	Type           string          `json:"type"` // IAMUser, AssumedRole, AWSService or AWSAccount
	PrincipalID    string          `json:"principalId,omitzero"`
	ARN            string          `json:"arn,omitzero"`
	AccountID      string          `json:"accountId,omitzero"`
	AccessKeyID    string          `json:"accessKeyId,omitzero"`
	UserName       string          `json:"userName,omitzero"`
	SessionContext *SessionContext `json:"sessionContext,omitzero"`
	InvokedBy      string          `json:"invokedBy,omitzero"`
}

// SessionContext describes the temporary credentials of a call.
type SessionContext struct {
	SessionIssuer  *Issuer           `json:"sessionIssuer,omitzero"`
	Attributes     SessionAttributes `json:"attributes"`
	SourceIdentity string            `json:"sourceIdentity,omitzero"`
}

// SessionAttributes are when the session was made, and whether with a second factor.
type SessionAttributes struct {
	CreationDate     string `json:"creationDate"`
	MFAAuthenticated string `json:"mfaAuthenticated"`
}

// Issuer is the role of a session.
type Issuer struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
	ARN         string `json:"arn"`
	AccountID   string `json:"accountId"`
	UserName    string `json:"userName"`
}

// Resource is what a call is about.
type Resource struct {
	AccountID string `json:"accountId"`
	Type      string `json:"type"`
	ARN       string `json:"ARN"`
}

// TLS is how the connection is encrypted.
type TLS struct {
	Version     string `json:"tlsVersion"`
	CipherSuite string `json:"cipherSuite"`
	Host        string `json:"clientProvidedHostHeader"`
}

// Hidden is in the place of a secret (field reports).
const Hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// AssumeRoleEvent is an operation of STS that is an event of two accounts if the role is of another one.
const AssumeRoleEvent = "AssumeRole"

// New returns the event of a request, with all that follows from the request alone.
func New(r *http.Request, service, operation, requestID string, now time.Time) Event {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	e := Event{
		EventVersion: "1.11", EventTime: now.UTC().Format(time.RFC3339), EventSource: service + ".amazonaws.com", EventName: operation,
		SourceIPAddress: host, UserAgent: r.UserAgent(), RequestID: requestID, ReadOnly: readOnly(operation),
		EventType: "AwsApiCall", ManagementEvent: true, EventCategory: "Management",
	}
	if r.TLS != nil {
		e.TLSDetails = &TLS{Version: strings.ReplaceAll(tls.VersionName(r.TLS.Version), "TLS ", "TLSv"), CipherSuite: tls.CipherSuiteName(r.TLS.CipherSuite), Host: r.Host}
	}
	return e
}

// readOnly: what gives credentials changes nothing (field reports: AssumeRole; GetSessionToken is ours).
func readOnly(operation string) bool {
	return operation == AssumeRoleEvent || strings.HasPrefix(operation, "Get") || strings.HasPrefix(operation, "List")
}

// Refused adds an error, or nothing if it is nil. A refused call has no response elements.
func (e *Event) Refused(refusal *wire.Error) {
	if refusal != nil {
		e.ErrorCode, e.ErrorMessage, e.ResponseElements = refusal.Code, refusal.Message, nil
	}
}

// maxMembers is the most bytes of request parameters and of response elements; what has more is left out (CT
// cloudtrail-event-reference-record-contents).
const maxMembers = 100 << 10

// maxText is the most bytes of the user agent, the error code and the error message; what is longer is truncated (CT
// cloudtrail-event-reference-record-contents).
const maxText = 1 << 10

// truncated returns a text without what is beyond the limit, and without a partial character at its end.
func truncated(s string) string {
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for end > maxText-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// line returns the event in one line.
func (e Event) line() ([]byte, error) {
	e.EventID = wire.NewUUID()
	e.UserAgent, e.ErrorCode, e.ErrorMessage = truncated(e.UserAgent), truncated(e.ErrorCode), truncated(e.ErrorMessage)
	for _, m := range []*Members{&e.RequestParameters, &e.ResponseElements} {
		data, err := marshal(*m)
		if err != nil {
			return nil, err
		}
		if len(data) > maxMembers {
			*m = nil
		}
	}
	data, err := marshal(e)
	return append(data, '\n'), err
}
