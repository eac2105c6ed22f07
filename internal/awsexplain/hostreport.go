package awsexplain

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"kedge/internal/cli"
	"kedge/internal/report"
)

// HostReport is what is read of a report of kedge doctor. It comes from a host, which may be in the hands of somebody else:
// its texts are shown, and none of its commands is.
type HostReport struct {
	Time        time.Time
	Uses        ARNs
	Certificate *Presented // nil: the host could read none
	Refusal     string     // what CreateSession answered; empty: nothing
	Problem     string     // the first check that failed; empty: none
}

// Presented is the certificate of the host.
type Presented struct {
	Serial  string            `json:"serial"` // in hexadecimal
	SHA256  string            `json:"sha256"` // of its DER, in hexadecimal
	Subject string            `json:"subject"`
	Issuer  string            `json:"issuer"`
	Tags    map[string]string `json:"tags"`
}

// CommonName returns the common name of the host, as it calls itself.
func (p *Presented) CommonName() string { return p.Tags["x509Subject/CN"] }

// ErrNoReport is returned for what is no report.
var ErrNoReport = errors.New("this is not what \"kedge doctor --json\" prints")

// SchemaError reports a report of another version of kedge.
type SchemaError struct{ Schema int }

func (e *SchemaError) Error() string {
	return fmt.Sprintf("the report has the schema %d, and %d is the one known here", e.Schema, hostSchema)
}

// hostSchema is the schema of doctor.Report.
const hostSchema = 1

// maxText is how many characters of a text of the report are shown.
const maxText = 400

// ReadHostReport reads what kedge doctor --json prints.
func ReadHostReport(data []byte) (*HostReport, error) {
	var in struct {
		Schema  int       `json:"schema"`
		Time    time.Time `json:"time"`
		Subject *struct {
			TrustAnchor string     `json:"trust_anchor_arn"`
			Profile     string     `json:"profile_arn"`
			Role        string     `json:"role_arn"`
			Certificate *Presented `json:"certificate"`
			Refusal     *struct {
				Status  int    `json:"status"`
				Code    string `json:"code"`
				Message string `json:"message"`
			} `json:"refusal"`
		} `json:"subject"`
		Checks []struct {
			Title string `json:"title"`
			State string `json:"state"`
			Seen  string `json:"seen"`
		} `json:"checks"`
	}
	if err := json.Unmarshal(data, &in); err != nil || in.Subject == nil || in.Schema == 0 {
		return nil, ErrNoReport
	}
	if in.Schema != hostSchema {
		return nil, &SchemaError{in.Schema}
	}
	r := &HostReport{Time: in.Time, Certificate: in.Subject.Certificate}
	r.Uses = ARNs{in.Subject.TrustAnchor, in.Subject.Profile, in.Subject.Role}
	if c := r.Certificate; c != nil {
		c.Serial, c.Subject, c.Issuer = shown(c.Serial), shown(c.Subject), shown(c.Issuer)
	}
	if refusal := in.Subject.Refusal; refusal != nil {
		r.Refusal = shown(strings.TrimSpace(fmt.Sprintf("%d %s %s", refusal.Status, refusal.Code, refusal.Message)))
	}
	for _, c := range in.Checks {
		if c.State == string(Failed) {
			r.Problem = shown(c.Title + ": " + c.Seen)
			break
		}
	}
	return r, nil
}

// shown is a text of the host as it is shown: in one line, and not for ever.
func shown(text string) string {
	if all := []rune(cli.Printable(text)); len(all) > maxText {
		return string(all[:maxText]) + "…"
	}
	return cli.Printable(text)
}

// first is what went wrong on the host first.
func (r *HostReport) first() string {
	if r.Problem == "" {
		return "its report has no check that failed"
	}
	return r.Problem
}

// says reports whether CreateSession answered so, in lower case. Without a report it did not.
func (r *HostReport) says(text string) bool {
	return r != nil && strings.Contains(strings.ToLower(r.Refusal), text)
}

// answer is the last check: whether the others account for what the host got.
func (in *Input) answer(all []Result) Result {
	r := Result{Number: len(all) + 1, ID: idAnswer, Title: "what the host got", State: OK}
	when, failed := report.Time(in.Report.Time), failures(all)
	switch {
	case in.Report.Refusal != "" && len(failed) > 0:
		r.Seen = fmt.Sprintf("%q on %s, of which the first cause is %d", in.Report.Refusal, when, failed[0].Number)
	case in.Report.says("invalid signature"):
		r.State, r.Seen = Failed, fmt.Sprintf("%q on %s", in.Report.Refusal, when)
		r.Advice = "the cause is on the host: its clock is wrong, or its key and certificate are no pair; kedge doctor there names which"
	case in.Report.Refusal != "":
		r.State, r.Seen = Warning, fmt.Sprintf("%q on %s, and nothing that would lead to it is here now", in.Report.Refusal, when)
		r.Advice = "it may have been corrected since: run kedge doctor on the host again"
	case in.Report.Problem != "" && len(failed) == 0:
		r.State, r.Seen = Failed, "no answer of CreateSession; "+in.Report.Problem
		r.Advice = "the cause is on the host or on the way: kedge doctor there has what to do"
	default:
		r.Seen = "no refusal: " + in.Report.first()
	}
	return r
}
