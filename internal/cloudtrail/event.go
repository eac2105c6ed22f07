package cloudtrail

import (
	"encoding/base64"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"encoding/pem"
	"errors"
	"strings"
	"time"
)

// RolesAnywhere is the name of IAM Roles Anywhere as a source of events, and as a caller of STS.
const RolesAnywhere = "rolesanywhere.amazonaws.com"

// Event is an event, with what leads to a certificate.
type Event struct {
	Time      time.Time
	ID        string
	Source    string // sts.amazonaws.com
	Name      string // AssumeRole
	Region    string
	Account   string // that received the event
	ErrorCode string // empty if the call succeeded
	Caller    string // ARN or principal id; of a service its name

	// The trail to a host. All are empty for events of others, such as users.
	Certificate    []byte // DER, of CreateSession
	Session        string // name of the role session
	SourceIdentity string

	// SessionAlone is set for a session of another account whose source identity the event does not have: nobody can
	// read from the event whether it has one.
	SessionAlone bool
}

// OfHost reports whether the event has something that may lead to a host.
func (e Event) OfHost() bool {
	return len(e.Certificate) > 0 || e.Session != "" || e.SourceIdentity != ""
}

// errNoEvent is JSON of another kind.
var errNoEvent = errors.New("is not a CloudTrail event")

// record is the JSON of an event.
type record struct {
	EventTime          time.Time      `json:"eventTime"`
	EventID            string         `json:"eventID"`
	EventSource        string         `json:"eventSource"`
	EventName          string         `json:"eventName"`
	AWSRegion          string         `json:"awsRegion"`
	RecipientAccountID string         `json:"recipientAccountId"`
	ErrorCode          string         `json:"errorCode"`
	UserIdentity       identity       `json:"userIdentity"`
	RequestParameters  jsontext.Value `json:"requestParameters"` // each service has its own
	ResponseElements   jsontext.Value `json:"responseElements"`

	CloudTrailEvent *string `json:"CloudTrailEvent"` // of lookup-events: the event, as text
}

type identity struct {
	Type           string `json:"type"`
	PrincipalID    string `json:"principalId"`
	ARN            string `json:"arn"`
	InvokedBy      string `json:"invokedBy"`
	SessionContext struct {
		SourceIdentity string `json:"sourceIdentity"`
	} `json:"sessionContext"`
}

// request and response are what the events of sessions have.
type request struct {
	Certificate string `json:"cert"`
}

type response struct {
	CredentialSet []made `json:"credentialSet"` // of CreateSession
	made
}

type made struct {
	SourceIdentity  string `json:"sourceIdentity"`
	AssumedRoleUser struct {
		ARN string `json:"arn"`
	} `json:"assumedRoleUser"`
}

// parse reads an event.
func parse(data []byte) (Event, error) {
	var r record
	if err := decode(data, &r); err != nil {
		return Event{}, errNoEvent
	}
	if r.CloudTrailEvent != nil {
		text := *r.CloudTrailEvent
		r = record{}
		if err := decode([]byte(text), &r); err != nil {
			return Event{}, errNoEvent
		}
	}
	if r.EventName == "" || r.EventTime.IsZero() {
		return Event{}, errNoEvent
	}
	return r.event(), nil
}

func decode(data []byte, to any) error {
	return json.Unmarshal(data, to, jsontext.AllowInvalidUTF8(true))
}

func (r *record) event() Event {
	e := Event{
		Time: r.EventTime, ID: r.EventID, Source: r.EventSource, Name: r.EventName, Region: r.AWSRegion,
		Account: r.RecipientAccountID, ErrorCode: r.ErrorCode, Caller: r.UserIdentity.caller(),
	}
	u := r.UserIdentity
	switch {
	case r.EventSource == RolesAnywhere && r.EventName == "CreateSession":
		var in request
		_ = decode(r.RequestParameters, &in) // events of other kinds have other members
		e.Certificate = certificate(in.Certificate)
		e.take(r.made())
	case u.Type == "AWSService" && u.InvokedBy == RolesAnywhere && r.EventName == "AssumeRole":
		e.take(r.made())
	case u.Type == "AssumedRole":
		e.Session, e.SourceIdentity = u.session(), u.SessionContext.SourceIdentity
	case u.Type == "AWSAccount" && strings.HasPrefix(u.PrincipalID, "AROA"):
		// The session is of another account: its source identity goes on in the one that it was given, if any.
		given := r.made()
		e.Session, e.SourceIdentity = u.session(), given.SourceIdentity
		e.SessionAlone = given == made{}
	}
	return e
}

// made returns the session that a call was answered with.
func (r *record) made() made {
	var out response
	_ = decode(r.ResponseElements, &out)
	if len(out.CredentialSet) > 0 {
		return out.CredentialSet[0]
	}
	return out.made
}

func (e *Event) take(m made) {
	e.Session, e.SourceIdentity = sessionIn(m.AssumedRoleUser.ARN), m.SourceIdentity
}

func (u identity) caller() string {
	for _, name := range []string{u.ARN, u.PrincipalID, u.InvokedBy} {
		if name != "" {
			return name
		}
	}
	return u.Type
}

// session returns the name of a role session, from its ARN or its principal id (AROA…:SESSION).
func (u identity) session() string {
	if name := sessionIn(u.ARN); name != "" {
		return name
	}
	_, name, _ := strings.Cut(u.PrincipalID, ":")
	return name
}

// sessionIn returns the session of arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION.
func sessionIn(arn string) string {
	_, rest, ok := strings.Cut(arn, ":assumed-role/")
	_, name, found := strings.Cut(rest, "/")
	if !ok || !found {
		return ""
	}
	return name
}

// certificate returns the DER of a certificate in base64, as the request has it, or in PEM.
func certificate(text string) []byte {
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return block.Bytes
	}
	der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil
	}
	return der
}
