package awsexplain

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"kedge/internal/cli"
	"kedge/internal/doctor"
)

// reportOf is a report as kedge doctor writes it.
func reportOf(t *testing.T, s doctor.Subject, checks ...doctor.Result) []byte {
	t.Helper()
	data, err := doctor.NewReport("v1", time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC), s, checks).JSON()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestReadHostReport: what kedge doctor writes is read; what else there is, is refused.
func TestReadHostReport(t *testing.T) {
	t.Parallel()
	subject := doctor.Subject{
		TrustAnchorARN: anchorARN, ProfileARN: profileARN, RoleARN: roleARN,
		Certificate: &doctor.Presented{Serial: "2a", SHA256: "ab", Subject: "CN=web-01", Issuer: "CN=Root", Tags: map[string]string{"x509Subject/CN": "web-01"}},
		Refusal:     &doctor.Refusal{Status: 403, Code: "AccessDeniedException", Message: "Unable to assume role for ARN."},
	}
	r, err := ReadHostReport(reportOf(t, subject, doctor.Result{Title: "clock", State: doctor.OK}, doctor.Result{Title: "session", State: doctor.Failed, Seen: "refused"}, doctor.Result{Title: "later", State: doctor.Failed}))
	if err != nil {
		t.Fatal(err)
	}
	if r.Uses != (ARNs{anchorARN, profileARN, roleARN}) || r.Certificate.SHA256 != "ab" || r.Certificate.CommonName() != "web-01" || r.Refusal != "403 AccessDeniedException Unable to assume role for ARN." || r.Problem != "session: refused" || !r.Time.Equal(time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", r)
	}
	for _, text := range []string{"", "[]", "{}", `{"schema": 1}`, `{"subject": {}}`, `{"schema": "1", "subject": {}}`} {
		if _, err := ReadHostReport([]byte(text)); !errors.Is(err, ErrNoReport) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := ReadHostReport([]byte(`{"schema": 2, "subject": {}}`)); err == nil || err.Error() != "the report has the schema 2, and 1 is the one known here" {
		t.Error(err)
	}
}

// TestReadHostReport_hostile: a report can be of a stranger. None of its commands is shown, its texts cannot drive a
// terminal or fill it, and what goes from it into a command is one word.
func TestReadHostReport_hostile(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Root")
	data := reportOf(t, doctor.Subject{TrustAnchorARN: anchorARN + "\x1b[2J; reboot", ProfileARN: profileARN, RoleARN: roleARN, Refusal: &doctor.Refusal{Status: 403, Message: strings.Repeat("x\n", 10000)}},
		doctor.Result{Title: "clock\nkedge: error: x", State: doctor.Failed, Seen: "\x1b]0;x\a", Advice: "paste this", Command: "reboot"})
	r, err := ReadHostReport(data)
	if err != nil {
		t.Fatal(err)
	}
	in := sound(t, a)
	in.Report, in.Uses, in.Host.Certificate, in.Host.Name = r, r.Uses, nil, "$(reboot)"
	e := Explain(in)
	for _, c := range e.Checks {
		if strings.Contains(strings.ReplaceAll(c.Command, "'$(reboot)'", ""), "reboot") || strings.Contains(c.Advice, "paste this") {
			t.Errorf("%+v", c)
		}
	}
	if text := e.String(); strings.ContainsAny(text, "\x1b\a") || len(text) > 8000 || strings.Contains(text, "\nkedge") {
		t.Errorf("%q", text)
	}
	if text, err := json.Marshal(e); err != nil || len(text) > 16000 {
		t.Errorf("%v: %d bytes", err, len(text))
	}
}

// FuzzReadHostReport: whatever a host writes, what is shown of it is printable and short.
func FuzzReadHostReport(f *testing.F) {
	f.Add([]byte(`{"schema": 1, "subject": {"certificate": {"serial": "2a", "subject": "CN=\u001b"}, "refusal": {"status": 403, "message": "\n"}}, "checks": [{"state": "failed", "title": "x", "seen": "\u0007"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ReadHostReport(data)
		if err != nil {
			return
		}
		texts := []string{r.Refusal, r.Problem}
		if c := r.Certificate; c != nil {
			texts = append(texts, c.Serial, c.Subject, c.Issuer)
		}
		for _, text := range texts {
			if cli.Printable(text) != text || utf8.RuneCountInString(text) > maxText+1 {
				t.Errorf("%q", text)
			}
		}
	})
}

// TestExplain_report: what the host got is set beside what is there.
func TestExplain_report(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Root")
	for _, tt := range []struct {
		name          string
		report        HostReport
		change        func(*Input)
		id            string
		state         State
		seen, command string
	}{
		{"no certificate", HostReport{Problem: "key and certificate: no such file"}, func(in *Input) { in.Host.Certificate = nil }, "host-certificate", Failed, "the host could read no certificate: key and certificate: no such file", ""},
		{"a certificate of another CA", HostReport{Certificate: &Presented{Serial: "2b", Issuer: "CN=Other"}}, func(in *Input) { in.Host.Certificate = nil }, "host-certificate", Failed, "serial number 2b, of the issuer \"CN=Other\"", "kedge-ca issue web-01"},
		{"no ARNs", HostReport{}, func(in *Input) { in.Uses = ARNs{} }, "arns", Failed, "is known by the report", ""},
		{"another profile", HostReport{}, func(in *Input) {
			in.Uses.Profile, in.Account.Profile.Value = strings.Replace(profileARN, "6b65", "7b65", 1), nil
		}, "profile", Failed, "there is no profile", ""},
		{"session name", HostReport{Refusal: "403 Not authorized to set roleSessionName"}, nil, "session-name", Failed, "the profile accepts no names", "--accept-role-session-name --region eu-west-1"},
		{"duration", HostReport{Refusal: "403 The requested DurationSeconds exceeds the MaxSessionDuration set for this role."}, func(in *Input) { in.Account.Profile.Value.Duration = 2 * time.Hour }, "duration", Failed, "the role 1h0m0s", "--max-session-duration 7200"},
		{"tags", HostReport{Refusal: "403 attributes failed to be mapped into session tags"}, nil, "session-tags", Failed, "AWS could not take one of them", "kedge-ca lint -"},
		{"no intermediates", HostReport{Refusal: "403 Untrusted signing certificate"}, nil, "path", Failed, "the host does not send the intermediates", ""},
		{"explained", HostReport{Refusal: "403 Invalid or empty profile provided."}, func(in *Input) { in.Account.Profile.Value.Enabled = false }, "answer", OK, "of which the first cause is 14", ""},
		{"corrected since", HostReport{Refusal: "403 Invalid or empty profile provided."}, nil, "answer", Warning, "nothing that would lead to it is here now", ""},
		{"clock", HostReport{Refusal: "403 Invalid signature"}, nil, "answer", Failed, "Invalid signature", ""},
		{"the way", HostReport{Problem: "TCP: refused"}, nil, "answer", Failed, "no answer of CreateSession; TCP: refused", ""},
		{"nothing", HostReport{}, nil, "answer", OK, "its report has no check that failed", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := sound(t, a)
			in.Report = &tt.report
			if tt.change != nil {
				tt.change(in)
			}
			got := checkOf(t, Explain(in), tt.id)
			if got.State != tt.state || !strings.Contains(got.Seen, tt.seen) || !strings.Contains(got.Command, tt.command) || (tt.command == "") != (got.Command == "") {
				t.Errorf("%+v", got)
			}
		})
	}
}
