package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/doctor"
)

// known makes the site an enrolled host whose CA named a role, in the folder of identities.
func (s *site) known() {
	s.t.Helper()
	s.enroll()
	s.record(func(r map[string]any) {
		r["aws"] = map[string]any{"trust_anchor_arn": s.emulator.TrustAnchorARN(), "profile_arn": s.emulator.ProfileARN(), "role_arn": s.emulator.RoleARN()}
	})
	must(s.t, os.Symlink(s.path("host"), filepath.Join(s.state(), "host")))
}

// TestDoctor_default: without flags it takes the one identity, else the line of the AWS profile, and names which.
func TestDoctor_default(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		set   func(s *site)
		taken string // empty: nothing
		state doctor.State
		check string
	}{
		{"nothing there", func(*site) {}, "", doctor.Failed, "settings-needed"},
		{"one identity", func(s *site) { s.known(); s.line("default", "") }, "the identity web-01 in ", doctor.OK, "session"},
		{"two identities, and a profile", func(s *site) {
			s.known()
			must(s.t, os.Symlink(s.path("host"), filepath.Join(s.state(), "other")))
			s.line("default", "")
		}, "the credential_process of the profile default in ", doctor.OK, "session"},
		{"the identity has no role", func(s *site) {
			s.known()
			s.record(func(r map[string]any) { delete(r, "aws") })
			s.line("default", "")
		}, "the credential_process of the profile default in ", doctor.OK, "session"},
		{"AWS_PROFILE", func(s *site) { s.line("profile web", ""); s.env = append(s.env, "AWS_PROFILE=web") }, "the credential_process of the profile web in ", doctor.OK, "session"},
		{"the profile of a command", func(s *site) {
			s.line("profile web", "")
			s.args = []string{"--", "aws", "s3", "ls", "--profile", "web"}
		}, "the credential_process of the profile web in ", doctor.OK, "session"},
		{"another profile", func(s *site) { s.line("profile web", "") }, "", doctor.Failed, "settings-needed"},
		{"a flag that there is not", func(s *site) { s.line("default", " --nosuch") }, "the credential_process of the profile default in ", doctor.Failed, "settings-names"},
		{"an empty flag", func(s *site) { s.line("default", ` --intermediates ""`) }, "the credential_process of the profile default in ", doctor.Failed, "settings-names"},
		{"a flag before the command", func(s *site) {
			s.line("default", "")
			home, _ := s.env.Lookup("HOME")
			text, err := os.ReadFile(home + "/.aws/config")
			must(s.t, err)
			must(s.t, os.WriteFile(home+"/.aws/config", []byte(strings.Replace(string(text), "kedge credential-process", "kedge --quiet credential-process", 1)), 0o600))
		}, "the credential_process of the profile default in ", doctor.OK, "session"},
		{"a flag is given", func(s *site) { s.line("default", ""); s.args = []string{"--region", "us-east-1"} }, "", doctor.Failed, "settings-needed"},
		{"a variable names a certificate", func(s *site) { s.line("default", ""); s.env = append(s.env, "KEDGE_CERTIFICATE=web.pem") }, "", doctor.Failed, "settings-needed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.bare = true
			s.env = append(s.env, "KEDGE_CONFIG="+os.DevNull)
			tt.set(s)
			if strings.HasPrefix(tt.taken, "the identity") { // of an emulator, which no CA names
				s.env = append(s.env, "KEDGE_ENDPOINT="+s.profile["endpoint"])
			}
			report, stderr, _ := s.run()
			got := s.result(report, tt.check)
			if got.State != tt.state {
				t.Errorf("%+v\n%s", got, problems(report))
			}
			note := "kedge: note: nothing names a certificate: this is about " + tt.taken
			if tt.taken == "" && strings.Contains(stderr, "nothing names") || tt.taken != "" && !strings.Contains(stderr, note) {
				t.Errorf("%q, want %q", stderr, note)
			}
			if needed := s.result(report, "settings-needed"); needed.State == doctor.OK && !strings.Contains(needed.Seen, "from "+tt.taken) {
				t.Errorf("%+v", needed)
			}
		})
	}
}

// line writes a profile of the SDKs that runs kedge with all that is needed, and more.
func (s *site) line(section, more string) {
	s.t.Helper()
	home, _ := s.env.Lookup("HOME")
	must(s.t, os.MkdirAll(home+"/.aws", 0o700))
	line := "credential_process = /opt/kedge credential-process --certificate " + s.path("web.pem") + " --private-key " + s.path("web.key")
	for _, name := range []string{"trust-anchor-arn", "profile-arn", "role-arn", "endpoint"} {
		line += " --" + name + " " + s.profile[name]
	}
	writeFile(s.t, home+"/.aws/config", "["+section+"]\n"+line+more+"\n")
}
