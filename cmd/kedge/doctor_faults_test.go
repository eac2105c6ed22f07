package main

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/doctor"
	"kedge/internal/enrollclient/enrolltest"
)

// fault is one thing that is wrong with a site, and what doctor makes of it.
type fault struct {
	name  string
	set   func(s *site)
	check string // that names it
	state doctor.State
	code  int
	says  string // in what was seen or in the advice
	run   string // in the command to paste
	paste bool   // the command mends it
	fix   func(s *site)
}

// TestDoctor_sound: nothing is wrong, and one session is made, as it is announced.
func TestDoctor_sound(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	report, stderr, code := s.run()
	if report.State != doctor.OK || code != 0 || stderr != "kedge: note: one session is made, if that is possible, and forgotten; nothing is changed\n" {
		t.Errorf("%s, exit code %d, %s\n%s", report.State, code, stderr, problems(report))
	}
	if len(report.Checks) < 30 {
		t.Errorf("%d checks", len(report.Checks))
	}
	if n := len(s.emulator.Sessions()); n != 1 {
		t.Errorf("%d sessions", n)
	}
	// What the report has of the session is what the service made of the certificate.
	made := s.emulator.Sessions()[0]
	if got := report.Subject.Certificate; got.SourceIdentity != made.SourceIdentity || len(got.Tags) != len(made.Tags) {
		t.Errorf("%+v, want %+v", got, made)
	}
	for key, value := range made.Tags {
		if got := report.Subject.Certificate.Tags[key]; got != value {
			t.Errorf("tag %s: %q, want %q", key, got, value)
		}
	}
}

// TestDoctor_faults: each fault is named by one check, with what to do; the first check that fails is that one.
func TestDoctor_faults(t *testing.T) {
	t.Parallel()
	names, mended := map[string]bool{}, 0
	for _, f := range faults() {
		if f.paste || f.fix != nil {
			mended++
		}
		if names[f.name] {
			t.Errorf("%s is there twice", f.name)
		}
		names[f.name] = true
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			f.set(s)
			report, _, code := s.run()
			got := s.result(report, f.check)
			if got.State != f.state || code != f.code || !strings.Contains(got.Seen+" | "+got.Advice, f.says) || !strings.Contains(got.Command, f.run) {
				t.Errorf("exit code %d, want %d; %+v, want %s, %q, run %q\n%s", code, f.code, got, f.state, f.says, f.run, problems(report))
			}
			for _, c := range report.Checks[:got.Number-1] {
				if c.State == doctor.Failed || c.State == doctor.Blocked {
					t.Errorf("before it: %+v", c)
				}
			}
			mend(s, f, got)
		})
	}
	if mended < 100 {
		t.Errorf("%d faults are mended", mended)
	}
}

// problems are the checks that are not ok.
func problems(r *doctor.Report) string {
	var b strings.Builder
	for _, c := range r.Checks {
		if c.State != doctor.OK {
			fmt.Fprintf(&b, "%+v\n", c)
		}
	}
	return b.String()
}

// mend runs the command that was printed, or does what a person would, and looks again.
func mend(s *site, f fault, got doctor.Result) {
	s.t.Helper()
	switch {
	case f.paste:
		s.paste(got.Command)
		if f.fix != nil {
			f.fix(s)
		}
	case f.fix != nil:
		f.fix(s)
	default:
		return
	}
	report, _, _ := s.run()
	if after := s.result(report, f.check); after.State != doctor.OK {
		s.t.Errorf("after it was mended: %+v", after)
	}
}

func faults() []fault {
	all := append(faultsOfSettings(), faultsOfFiles()...)
	all = append(all, faultsOfCertificates()...)
	return slices.Concat(all, faultsOfChains(), faultsOfNetwork(), faultsOfPrograms(), faultsOfSessions(), faultsOfServe(), faultsOfCache(), faultsOfEnrollment())
}

// bytes of 127.0.0.1:1, where nothing listens.
const nowhereURL = "http://127.0.0.1:1"

// withoutFlags takes back the flags that a fault gave.
func withoutFlags(s *site) { s.args = nil }

// unconfigured removes the configuration, so that the next run has that of the site.
func unconfigured(s *site) { must(s.t, os.RemoveAll(s.path("config.yaml"))) }

// reconfigure changes one setting of the configuration.
func (s *site) reconfigure(name, value string) {
	s.t.Helper()
	s.profile[name] = value
	unconfigured(s)
}

// again sets one to what it should be.
func again(name, value string) func(*site) {
	return func(s *site) { s.reconfigure(name, value) }
}

func faultsOfSettings() []fault {
	set := func(name, value string) func(*site) {
		return func(s *site) { s.profile[name] = value }
	}
	return []fault{
		{name: "another user can change the configuration", check: "configuration-file", state: doctor.Failed, code: 2, says: "can be changed by other users", run: "chmod go-w", paste: true,
			set: func(s *site) { s.configure(); must(s.t, os.Chmod(s.path("config.yaml"), 0o666)) }},
		{name: "the configuration is a folder", check: "configuration-file", state: doctor.Failed, code: 2, says: "folder",
			set: func(s *site) { must(s.t, os.Mkdir(s.path("config.yaml"), 0o700)) }, fix: unconfigured},
		{name: "the configuration is no YAML", check: "configuration-file", state: doctor.Failed, code: 2, says: "config.yaml",
			set: func(s *site) { s.write("config.yaml", "profiles: [\n") }, fix: unconfigured},
		{name: "an unknown profile", check: "configuration-profile", state: doctor.Failed, code: 2, says: `no profile "web"`, run: "--profile other",
			set: func(s *site) { s.write("config.yaml", "profiles:\n  other: {region: eu-west-1}\n") }, fix: func(s *site) { s.args = []string{"--profile", "other"} }},
		{name: "an unknown setting", check: "settings-names", state: doctor.Failed, code: 2, says: "unknown setting sesion-duration", run: "kedge config check",
			set: set("sesion-duration", "900"), fix: again("sesion-duration", "")},
		{name: "a number in quotes", check: "settings-names", state: doctor.Failed, code: 2, says: "must be a number",
			set: set("session-duration", `"900"`), fix: again("session-duration", "900")},
		{name: "a variable that is no number", check: "settings-names", state: doctor.Failed, code: 2, says: "KEDGE_MAX_ATTEMPTS",
			set: func(s *site) { s.env = append(s.env, "KEDGE_MAX_ATTEMPTS=many") }, fix: func(s *site) { s.env = s.env[:len(s.env)-1] }},
		{name: "settings that exclude each other", check: "settings-together", state: doctor.Failed, code: 2, says: "cannot be used together",
			set: func(s *site) { s.args = []string{"--pkcs8-password", "x", "--key-password-from", "/dev/null"} }, fix: withoutFlags},
		{name: "a setting is missing", check: "settings-needed", state: doctor.Failed, code: 2, says: "missing --role-arn",
			set: set("role-arn", ""), fix: func(s *site) { s.args = []string{"--role-arn", s.emulator.RoleARN()} }},
		{name: "ARNs of two regions", check: "arns", state: doctor.Failed, code: 2, says: "is in region eu-west-1, the trust anchor in us-east-1",
			set: func(s *site) {
				s.profile["profile-arn"] = strings.Replace(s.profile["profile-arn"], "us-east-1", "eu-west-1", 1)
			}, fix: func(s *site) { s.reconfigure("profile-arn", s.emulator.ProfileARN()) }},
		{name: "ARNs of two accounts", check: "arns", state: doctor.Failed, code: 2, says: "is in account 444455556666",
			set: set("role-arn", "arn:aws:iam::444455556666:role/kedge"), fix: func(s *site) { s.reconfigure("role-arn", s.emulator.RoleARN()) }},
		{name: "ARNs of two partitions", check: "arns", state: doctor.Failed, code: 2, says: "partition",
			set: set("role-arn", "arn:aws-cn:iam::111122223333:role/kedge"), fix: func(s *site) { s.reconfigure("role-arn", s.emulator.RoleARN()) }},
		{name: "an ARN that is none", check: "arns", state: doctor.Failed, code: 2, says: "arn:aws:iam::1:role/x",
			set: set("role-arn", "arn:aws:iam::1:role/x"), fix: func(s *site) { s.reconfigure("role-arn", s.emulator.RoleARN()) }},
		{name: "the trust anchor's ARN is that of a profile", check: "arns", state: doctor.Failed, code: 2, says: "is a profile ARN, not a trust anchor ARN",
			set: func(s *site) { s.profile["trust-anchor-arn"] = s.profile["profile-arn"] }, fix: func(s *site) { s.reconfigure("trust-anchor-arn", s.emulator.TrustAnchorARN()) }},
		{name: "an endpoint without a scheme", check: "region-endpoint", state: doctor.Failed, code: 2, says: "put https:// before it",
			set: set("endpoint", "rolesanywhere.us-east-1.amazonaws.com")},
		{name: "another region signs", check: "region-endpoint", state: doctor.Warning, code: 3, says: "--region eu-west-1 signs for eu-west-1",
			set: set("region", "eu-west-1"), fix: again("region", "")},
		{name: "a session that is too short", check: "session-settings", state: doctor.Failed, code: 2, says: "900 to 43200 seconds",
			set: set("session-duration", "60"), fix: again("session-duration", "900")},
		{name: "a name that no session can have", check: "session-settings", state: doctor.Failed, code: 2, says: "role session name",
			set: set("role-session-name", "a"), fix: again("role-session-name", "")},
		{name: "an assumed role that is none", check: "chain-settings", state: doctor.Failed, code: 2, says: "role ARN",
			set: set("assume-role-arn", "[backup]"), fix: again("assume-role-arn", "")},
		{name: "a proxy of an unknown kind", check: "proxy-setting", state: doctor.Failed, code: 2, says: "scheme must be http",
			set: set("proxy", "ftp://proxy.example.com"), fix: again("proxy", "none")},
		{name: "a variable that names no proxy", check: "proxy-setting", state: doctor.Failed, code: 2, says: "HTTPS_PROXY",
			set: func(s *site) {
				s.profile["endpoint"] = ""
				s.env = append(s.env, "HTTPS_PROXY=http://a b", "NO_PROXY=example.com")
			}},
		{name: "a descriptor that is no number", check: "key-settings", state: doctor.Failed, code: 2, says: "fd:3",
			set: set("private-key", "fd:x"), fix: again("private-key", "web.key")},
	}
}

func faultsOfFiles() []fault {
	return []fault{
		{name: "no certificate", check: "certificate-file", state: doctor.Failed, code: 4, says: "has no web.pem", run: "ls -la",
			set: func(s *site) { must(s.t, os.Rename(s.path("web.pem"), s.path("saved"))) }, fix: func(s *site) { must(s.t, os.Rename(s.path("saved"), s.path("web.pem"))) }},
		{name: "a certificate that is a folder", check: "certificate-file", state: doctor.Failed, code: 4, says: "folder",
			set: func(s *site) { s.profile["certificate"] = "." }, fix: again("certificate", "web.pem")},
		{name: "no key", check: "key-file", state: doctor.Failed, code: 4, says: "has no web.key", run: "ls -la",
			set: func(s *site) { must(s.t, os.Remove(s.path("web.key"))) }, fix: func(s *site) { s.issue(enrolltest.Unchanged) }},
		{name: "everybody can read the key", check: "key-mode", state: doctor.Warning, code: 0, says: "can be read by other users", run: "chmod 600", paste: true,
			set: func(s *site) {
				s.profile["private-key"] = "file:web.key"
				must(s.t, os.Chmod(s.path("web.key"), 0o644))
			}},
		{name: "no intermediates", check: "intermediates-file", state: doctor.Failed, code: 4, says: "has no chain.pem",
			set: func(s *site) { s.profile["intermediates"] = "chain.pem" }, fix: again("intermediates", "")},
		{name: "no file with the password", check: "password-file", state: doctor.Failed, code: 4, says: "has no password",
			set: func(s *site) { s.profile["key-password-from"] = "password" }, fix: again("key-password-from", "")},
		{name: "everybody can read the password", check: "password-file", state: doctor.Warning, code: 0, says: "can be read by other users", run: "chmod 600", paste: true,
			set: func(s *site) {
				s.write("password", "x")
				must(s.t, os.Chmod(s.path("password"), 0o644))
				s.profile["key-password-from"] = "password"
			}},
		{name: "the password is asked for", check: "password-file", state: doctor.Warning, code: 0, says: "no terminal",
			set: func(s *site) { s.profile["key-password-from"] = "prompt" }, fix: again("key-password-from", "")},
		{name: "no CA bundle", check: "ca-bundle", state: doctor.Failed, code: 1, says: "bundle.pem",
			set: func(s *site) { s.profile["ca-bundle"] = "bundle.pem" }, fix: again("ca-bundle", "")},
		{name: "a CA bundle without certificates", check: "ca-bundle", state: doctor.Failed, code: 1, says: "AWS_CA_BUNDLE",
			set: func(s *site) {
				s.write("bundle.pem", "nothing")
				s.env = append(s.env, "AWS_CA_BUNDLE="+s.path("bundle.pem"))
			}, fix: func(s *site) { s.env = s.env[:len(s.env)-1] }},
	}
}

func faultsOfCertificates() []fault {
	reissue := func(s *site) { s.issue(enrolltest.Unchanged) }
	issued := func(change func(c *x509.Certificate)) func(*site) {
		return func(s *site) { s.issue(change) }
	}
	return []fault{
		{name: "a certificate that is none", check: "certificate", state: doctor.Failed, code: 4, says: "web.pem",
			set: func(s *site) { s.write("web.pem", "hello") }, fix: reissue},
		{name: "certificate and key are swapped", check: "certificate", state: doctor.Failed, code: 4, says: "swapped",
			set: func(s *site) {
				s.profile["certificate"], s.profile["private-key"] = s.profile["private-key"], s.profile["certificate"]
			}, fix: func(s *site) {
				s.profile["certificate"] = "web.pem"
				s.reconfigure("private-key", "web.key")
			}},
		{name: "a key that is none", check: "private-key", state: doctor.Failed, code: 4, says: "web.key",
			set: func(s *site) { s.write("web.key", "hello") }, fix: reissue},
		{name: "the key of another certificate", check: "key-and-certificate", state: doctor.Failed, code: 4, says: "web.key", run: "openssl x509",
			set: func(s *site) { s.writeKey("web.key", enrolltest.NewKey(s.t)) }, fix: reissue},
		{name: "no digitalSignature", check: "certificate-rules", state: doctor.Failed, code: 4, says: "lacks the key usage digitalSignature", run: "kedge-ca issue web-01 --out new",
			set: issued(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), fix: reissue},
		{name: "a CA and no digitalSignature", check: "certificate-rules", state: doctor.Failed, code: 4, says: "with CA false; lacks",
			set: issued(func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }), fix: reissue},
		{name: "an empty subject", check: "certificate-rules", state: doctor.Failed, code: 4, says: "empty subject", run: "kedge-ca issue NAME --out new",
			set: issued(func(c *x509.Certificate) { c.Subject = pkix.Name{} }), fix: reissue},
		{name: "no clientAuth", check: "extended-key-usage", state: doctor.Warning, code: 0, says: "lacks clientAuth",
			set: issued(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), fix: reissue},
		{name: "expired", check: "certificate-validity", state: doctor.Failed, code: 4, says: "renew the certificate", run: "kedge-ca renew web-01",
			set: issued(func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
			}), fix: reissue},
		{name: "not valid yet", check: "certificate-validity", state: doctor.Failed, code: 4, says: "wait", run: "timedatectl",
			set: issued(func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = time.Now().Add(24*time.Hour), time.Now().Add(48*time.Hour)
			}), fix: reissue},
		{name: "nearly expired", check: "certificate-remaining", state: doctor.Warning, code: 0, says: "in its last tenth", run: "kedge-ca renew web-01",
			set: issued(func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(2*time.Hour)
			}), fix: reissue},
		{name: "a character that no tag can have", check: "session-tags", state: doctor.Warning, code: 3, says: `"A & B", has the character '&'`, run: "delete-attribute-mapping",
			set: issued(func(c *x509.Certificate) { c.Subject.Organization = []string{"A & B"} }), fix: reissue},
		{name: "a common name of 62 characters", check: "source-identity", state: doctor.Warning, code: 0, says: "without the CN=",
			set: issued(func(c *x509.Certificate) { c.Subject.CommonName = strings.Repeat("n", 62) }), fix: reissue},
		{name: "no common name", check: "source-identity", state: doctor.Warning, code: 0, says: "changes with every renewal",
			set: issued(func(c *x509.Certificate) { c.Subject = pkix.Name{Organization: []string{"Example"}} }), fix: reissue},
	}
}
