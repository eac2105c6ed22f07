package certinfo

import (
	"encoding/hex"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode"

	"kedge/ca/ledger"
	"kedge/internal/report"
)

// Request is a host's request for approval in JSON documents, and in lists. Times are UTC, in RFC 3339.
// A stranger has chosen its names.
type Request struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	SANs     []string `json:"sans,omitempty"`
	Profile  string   `json:"profile"`
	State    string   `json:"state"`
	Key      string   `json:"key"` // its SHA-256
	KeyPlace string   `json:"key_place,omitempty"`
	Address  string   `json:"address,omitempty"`
	Asked    string   `json:"asked,omitempty"`   // of one that waits
	Decided  string   `json:"decided,omitempty"` // of others
	Expires  string   `json:"expires"`
	Replace  bool     `json:"replace,omitempty"`
	Why      string   `json:"why,omitempty"`
}

// RequestOf describes a request that waits.
func RequestOf(r ledger.Request) Request {
	d := Request{ID: hex.EncodeToString(r.ID), Name: r.Name, SANs: r.SANs, Profile: r.Profile, State: "waiting", Key: hex.EncodeToString(r.KeyHash), KeyPlace: r.KeyPlace,
		Asked: report.Time(r.At), Expires: report.Time(r.Expires)}
	if r.Address.IsValid() {
		d.Address = r.Address.String()
	}
	return d
}

// DecidedRequest describes an approval or denial. now decides the state.
func DecidedRequest(t ledger.Token, now time.Time) Request {
	d := Request{ID: hex.EncodeToString(t.Request), Name: strings.Join(t.Names, " "), Profile: t.Profile, State: "approved", Key: hex.EncodeToString(t.ForKey),
		Decided: report.Time(t.At), Expires: report.Time(t.Expires), Replace: t.Replace, Why: t.Why}
	switch state := tokenState(t, now); state {
	case "revoked":
		d.State = "denied"
	case "spent":
		d.State = "used"
	case TokenUsable:
	default:
		d.State = state
	}
	return d
}

// DecidedRequests is the JSON document of requests that were approved or denied.
type DecidedRequests struct {
	Requests []Request `json:"requests"`
}

// Requests describes requests as of now: first those that were decided, which are the approvals and
// denials among tokens, then those that wait.
func Requests(tokens iter.Seq2[ledger.Token, error], waiting iter.Seq2[ledger.Request, error], now time.Time) iter.Seq2[Request, error] {
	decided := report.Each(tokens, func(t ledger.Token) (Request, bool) { return DecidedRequest(t, now), len(t.Request) != 0 })
	return func(yield func(Request, error) bool) {
		for d, err := range decided {
			if !yield(d, err) || err != nil {
				return
			}
		}
		for r, err := range waiting {
			if !yield(RequestOf(r), err) || err != nil {
				return
			}
		}
	}
}

// RequestListing returns how requests are written.
func RequestListing(empty func()) report.Listing[Request] {
	columns := []report.Column[Request]{
		{Head: "ID", Value: func(r Request) string { return r.ID }},
		{Head: "NAME", Value: func(r Request) string { return escaped(r.Name) }},
		{Head: "SANS", Value: func(r Request) string { return escaped(strings.Join(r.SANs, " ")) }},
		{Head: "PROFILE", Value: func(r Request) string { return escaped(r.Profile) }},
		{Head: "STATE", Value: func(r Request) string { return r.State }},
		{Head: "KEY", Value: func(r Request) string { return r.KeyPlace }},
		{Head: "ADDRESS", Value: func(r Request) string { return r.Address }},
		{Head: "SINCE", Value: func(r Request) string { return r.Asked + r.Decided }},
		{Head: "EXPIRES", Value: func(r Request) string { return r.Expires }},
	}
	return report.Listing[Request]{Key: "requests", JSON: func(r Request) any { return r }, Columns: columns, Empty: empty}
}

// escaped shows a name as it is only if it cannot look like another: other letters than those of ASCII,
// and characters that are not printed, are written as Go does.
func escaped(name string) string {
	odd := func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsPrint(r) }
	if strings.ContainsFunc(name, odd) {
		return strconv.QuoteToASCII(name)
	}
	return name
}

// Approved describes that a request was approved, and until when the host must ask.
func (r Request) Approved() string {
	return fmt.Sprintf("approved %s, until %s", r.InWords(), r.Expires)
}

// Denied describes that a request was denied.
func (r Request) Denied() string { return "denied " + r.InWords() }

// InWords describes what a request asks for.
func (r Request) InWords() string {
	return fmt.Sprintf("the request %s for %s, profile %s", r.ID, strconv.QuoteToASCII(r.Name), strconv.QuoteToASCII(r.Profile))
}
