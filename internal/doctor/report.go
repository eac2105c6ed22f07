package doctor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"kedge/internal/cli"
)

// schema numbers the form of a report. It grows when a member changes its meaning.
const schema = 1

// Report is what all checks came to. It has no secrets: it can be sent to the administrator of the account.
type Report struct {
	Schema  int       `json:"schema"`
	Version string    `json:"version"` // of kedge
	Time    time.Time `json:"time"`    // by this host's clock
	Subject Subject   `json:"subject"`
	State   State     `json:"state"` // the worst of all
	Code    int       `json:"exit_code"`
	Checks  []Result  `json:"checks"`
}

// Subject is what was examined, as far as it is known: what an administrator needs to find the cause at AWS.
type Subject struct {
	Configuration  string     `json:"configuration,omitempty"`
	Profile        string     `json:"profile,omitempty"`
	TrustAnchorARN string     `json:"trust_anchor_arn,omitempty"`
	ProfileARN     string     `json:"profile_arn,omitempty"`
	RoleARN        string     `json:"role_arn,omitempty"`
	Region         string     `json:"region,omitempty"`
	Endpoint       string     `json:"endpoint,omitempty"`
	Certificate    *Presented `json:"certificate,omitempty"`
	Refusal        *Refusal   `json:"refusal,omitempty"`
}

// Presented is the certificate, and what a session has of it.
type Presented struct {
	Serial         string            `json:"serial"` // in hexadecimal
	SHA256         string            `json:"sha256"` // of its DER, in hexadecimal
	Subject        string            `json:"subject"`
	Issuer         string            `json:"issuer"`
	NotBefore      time.Time         `json:"not_before"`
	NotAfter       time.Time         `json:"not_after"`
	SourceIdentity string            `json:"source_identity"`
	Tags           map[string]string `json:"tags"` // by the default attribute mapping
}

// Refusal is what the service said.
type Refusal struct {
	Status    int    `json:"status"`
	Code      string `json:"code,omitempty"`
	Message   string `json:"message,omitempty"`
	RequestID string `json:"request_id,omitempty"`
}

// NewReport sums the results up. The exit code is that of the first check that failed.
func NewReport(version string, now time.Time, subject Subject, checks []Result) *Report {
	r := &Report{Schema: schema, Version: version, Time: now.UTC(), Subject: subject.redacted(), State: OK, Checks: checks}
	for _, c := range checks {
		switch {
		case c.State == Failed && r.State != Failed:
			r.State, r.Code = Failed, c.Code
		case c.State == Warning && r.State == OK:
			r.State = Warning
		}
	}
	return r
}

// redacted is the subject without what may be a secret: an ARN or a name can have been pasted wrong.
func (s Subject) redacted() Subject {
	for _, text := range []*string{&s.Configuration, &s.Profile, &s.TrustAnchorARN, &s.ProfileARN, &s.RoleARN, &s.Region, &s.Endpoint} {
		*text = Redact(*text)
	}
	if s.Refusal != nil {
		r := *s.Refusal
		r.Code, r.Message = Redact(r.Code), Redact(r.Message)
		s.Refusal = &r
	}
	return s
}

// JSON returns the report as a document.
func (r *Report) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(r)
	return b.Bytes(), err
}

// Text returns the report for people: a line for each check, with what to do below it, and a summary.
func (r *Report) Text() []byte {
	width := 0
	for _, c := range r.Checks {
		width = max(width, utf8.RuneCountInString(c.Title))
	}
	var b bytes.Buffer
	for _, c := range r.Checks {
		seen := c.Seen
		if c.State == Blocked {
			seen = fmt.Sprintf("not possible because of %d", c.Because)
		}
		fmt.Fprintln(&b, strings.TrimRight(fmt.Sprintf("%2d %-7s  %-*s  %s", c.Number, c.State.short(), width, c.Title, seen), " "))
		if c.Advice != "" {
			fmt.Fprintf(&b, "            what to do: %s\n", c.Advice)
		}
		for line := range strings.Lines(c.Command) {
			fmt.Fprintf(&b, "            run: %s\n", strings.TrimSuffix(line, "\n"))
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.summary())
	return b.Bytes()
}

// short is the state as a column has it.
func (s State) short() string {
	if s == Blocked {
		return "-"
	}
	return string(s)
}

// summary counts the checks, and names those that failed.
func (r *Report) summary() string {
	count := map[State]int{}
	var failed []string
	for _, c := range r.Checks {
		count[c.State]++
		if c.State == Failed {
			failed = append(failed, fmt.Sprintf("%d %s", c.Number, c.Title))
		}
	}
	text := fmt.Sprintf("%d checks: %d ok, %d with a warning, %d failed, %d not possible", len(r.Checks), count[OK], count[Warning], count[Failed], count[Blocked])
	if failed != nil {
		text += "; begin with " + failed[0]
	}
	return cli.Printable(text)
}
