package main

import (
	"crypto/rand"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"kedge/internal/doctor"
	"kedge/internal/emulator"
	"kedge/internal/enrollclient/enrolltest"
	"kedge/internal/testenv"
)

// overTLS serves the emulator with a certificate of a CA that no system trusts, which is written to server-ca.pem.
func (s *site) overTLS() (address string) {
	s.t.Helper()
	server := httptest.NewUnstartedServer(s.emulator.Handler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	s.t.Cleanup(server.Close)
	s.write("server-ca.pem", string(pemOf("CERTIFICATE", server.Certificate().Raw)))
	s.profile["endpoint"] = server.URL
	return server.Listener.Addr().String()
}

// throughProxy has the site reach the service by a proxy that wants a login.
func (s *site) throughProxy(login string) *proxy {
	s.t.Helper()
	to := s.overTLS()
	s.profile["ca-bundle"] = "server-ca.pem"
	p := newProxy(s.t, to, "user:hunter2")
	s.profile["endpoint"] = "https://example.com" // the name of the certificate
	s.env = append(s.env, "HTTPS_PROXY="+strings.Replace(p.url, "user:hunter2", login, 1))
	return p
}

// inRegion has the site use a region of AWS, whose names this process resolves by [resolveOnly].
func (s *site) inRegion(region string) {
	for _, name := range []string{"trust-anchor-arn", "profile-arn"} {
		parts := strings.Split(s.profile[name], ":")
		parts[3] = region
		s.profile[name] = strings.Join(parts, ":")
	}
	s.profile["endpoint"] = ""
}

func faultsOfNetwork() []fault {
	return []fault{
		{name: "nothing listens", check: "connection", state: doctor.Failed, code: 1, says: "connection refused",
			set: func(s *site) { s.profile["endpoint"] = nowhereURL }},
		{name: "a name that there is not", check: "dns", state: doctor.Failed, code: 1, says: "does not resolve", run: "getent hosts",
			set: func(s *site) { s.profile["endpoint"] = "https://rolesanywhere.invalid" }},
		{name: "a FIPS endpoint that there is not", check: "dns", state: doctor.Failed, code: 1, says: "there is no such endpoint in eu-west-1: leave --fips out",
			set: func(s *site) { s.inRegion("eu-west-1"); s.profile["fips"] = "true" }, fix: again("fips", "")},
		{name: "a dual-stack endpoint that there is not", check: "dns", state: doctor.Failed, code: 1, says: "there is no such endpoint in eu-west-1: leave --dual-stack out",
			set: func(s *site) { s.inRegion("eu-west-1"); s.profile["dual-stack"] = "true" }, fix: again("dual-stack", "")},
		{name: "a region that there is not", check: "dns", state: doctor.Failed, code: 1, says: "rolesanywhere.eu-west-9.amazonaws.com does not resolve", run: "getent hosts",
			set: func(s *site) { s.inRegion("eu-west-9") }, fix: func(s *site) { unconfigured(s); s.inRegion("eu-west-1") }},
		{name: "a proxy that is not there", check: "connection", state: doctor.Failed, code: 1, says: "--proxy none",
			set: func(s *site) {
				s.overTLS()
				s.profile["endpoint"] = "https://example.com"
				s.env = append(s.env, "HTTPS_PROXY="+nowhereURL)
			}},
		{name: "a proxy that wants a login", check: "answer", state: doctor.Failed, code: 1, says: "does not take the user name and password",
			set: func(s *site) { s.throughProxy("user:wrong") }},
		{name: "a server of an unknown CA", check: "tls", state: doctor.Failed, code: 1, says: "--ca-bundle", run: "openssl s_client",
			set: func(s *site) { s.overTLS() }, fix: func(s *site) { s.args = []string{"--ca-bundle", s.path("server-ca.pem")} }},
		{name: "the server is not verified", check: "region-endpoint", state: doctor.Warning, code: 0, says: "--no-verify-ssl",
			set: func(s *site) { s.overTLS(); s.args = []string{"--no-verify-ssl"} },
			fix: func(s *site) { s.args = []string{"--ca-bundle", s.path("server-ca.pem")} }},
		{name: "the clock is ahead", check: "clock", state: doctor.Warning, code: 0, says: "ahead of the service's", run: "timedatectl", paste: true,
			set: func(s *site) { s.now = func() time.Time { return time.Now().Add(10 * time.Minute) } },
			fix: func(s *site) {
				if _, err := os.Stat(s.path("clock-set")); err == nil {
					s.now = time.Now
				}
			}},
	}
}

// role makes the emulator's role another one.
func (s *site) role(change func(r *emulator.Role)) {
	s.t.Helper()
	r := emulator.Role{ARN: s.emulator.RoleARN()}
	change(&r)
	must(s.t, s.emulator.PutRole(r))
}

// trust gives the role a trust policy of one statement.
func (s *site) trust(statement string) {
	s.t.Helper()
	s.role(func(r *emulator.Role) { r.TrustPolicy = `{"Version":"2012-10-17","Statement":[` + statement + `]}` })
}

// trusted gives it the one that it had.
func trusted(s *site) { s.role(func(*emulator.Role) {}) }

// awsProfile makes the emulator's profile another one.
func (s *site) awsProfile(change func(p *emulator.Profile)) {
	s.t.Helper()
	p := emulator.Profile{ARN: s.emulator.ProfileARN(), RoleARNs: []string{s.emulator.RoleARN()}}
	change(&p)
	must(s.t, s.emulator.PutProfile(p))
}

// anchorEnabled enables or disables the emulator's trust anchor.
func (s *site) anchorEnabled(is bool) {
	s.t.Helper()
	_, err := s.emulator.AddTrustAnchor(emulator.TrustAnchor{ARN: s.emulator.TrustAnchorARN(), Certificates: pemOf("CERTIFICATE", s.ca.Raw), Disabled: !is})
	must(s.t, err)
}

// inject has the next requests meet a fault.
func (s *site) inject(text string) {
	s.t.Helper()
	f, err := emulator.ParseFault(text)
	must(s.t, err, s.emulator.Inject(f))
}

// revoke puts the host's certificate on a list of the trust anchor.
func (s *site) revoke() {
	s.t.Helper()
	leaf := s.issue(func(*x509.Certificate) {})
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: leaf.SerialNumber, RevocationTime: time.Now().Add(-time.Minute)}},
	}, s.ca.Certificate, s.ca.Key)
	must(s.t, err)
	_, err = s.emulator.ImportCRL(s.emulator.TrustAnchorARN(), pemOf("X509 CRL", list))
	must(s.t, err)
}

func faultsOfSessions() []fault {
	session := func(name, says, run string, set func(s *site), fix func(s *site)) fault {
		return fault{name: name, check: "session", state: doctor.Failed, code: 3, says: says, run: run, set: set, fix: fix}
	}
	const (
		other          = "arn:aws:iam::111122223333:role/other"
		explainCommand = "`kedge-ca aws explain --report report.json`" // for the operator of the CA
	)
	return []fault{
		session("an anchor of another CA", `the CA "CN=Site CA"`, "aws rolesanywhere get-trust-anchor", func(s *site) {
			arn, err := s.emulator.AddTrustAnchor(emulator.TrustAnchor{Certificates: pemOf("CERTIFICATE", newSite(s.t).ca.Raw)})
			must(s.t, err)
			s.profile["trust-anchor-arn"] = arn
		}, func(s *site) { s.reconfigure("trust-anchor-arn", s.emulator.TrustAnchorARN()) }),
		session("an anchor that there is not", explainCommand, "aws rolesanywhere get-trust-anchor --trust-anchor-id 00000000-", func(s *site) {
			s.profile["trust-anchor-arn"] = "arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/00000000-0000-4000-8000-000000000000"
		}, func(s *site) { s.reconfigure("trust-anchor-arn", s.emulator.TrustAnchorARN()) }),
		session("the trust anchor is disabled", "`aws rolesanywhere enable-trust-anchor` with the same options", "aws rolesanywhere get-trust-anchor", func(s *site) {
			s.anchorEnabled(false)
		}, func(s *site) { s.anchorEnabled(true) }),
		session("the profile is disabled", "`aws rolesanywhere enable-profile` with the same options", "aws rolesanywhere get-profile", func(s *site) {
			s.awsProfile(func(p *emulator.Profile) { p.Disabled = true })
		}, func(s *site) { s.awsProfile(func(*emulator.Profile) {}) }),
		session("the profile has another role", "listed in the Profile", "aws rolesanywhere update-profile", func(s *site) {
			must(s.t, s.emulator.PutRole(emulator.Role{ARN: other}))
			s.profile["role-arn"] = other
		}, func(s *site) { s.awsProfile(func(p *emulator.Profile) { p.RoleARNs = append(p.RoleARNs, other) }) }),
		session("the profile takes no name of a session", "leave --role-session-name out", "", func(s *site) {
			s.profile["role-session-name"] = "backup"
		}, func(s *site) {
			must(s.t, os.Remove(s.path("config.yaml")))
			s.profile["role-session-name"] = ""
		}),
		session("the session is longer than the role allows", "MaxSessionDuration", "aws iam update-role --role-name kedge --max-session-duration 7200", func(s *site) {
			s.awsProfile(func(p *emulator.Profile) { p.Duration = 12 * time.Hour })
			s.profile["session-duration"] = "7200"
		}, func(s *site) { s.role(func(r *emulator.Role) { r.MaxSessionDuration = 2 * time.Hour }) }),
		session("no sts:TagSession", "source identity CN=web-01 and the tags", "aws iam get-role --role-name", func(s *site) {
			s.trust(`{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}`)
		}, trusted),
		session("another anchor in the trust policy", "aws:SourceArn", "aws iam get-role --role-name", func(s *site) {
			s.role(func(r *emulator.Role) {
				r.TrustAnchorARNs = []string{"arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/00000000-0000-4000-8000-000000000000"}
			})
		}, trusted),
		session("a role that there is not", "see whether the role is there", "aws iam get-role --role-name other", func(s *site) {
			s.awsProfile(func(p *emulator.Profile) { p.RoleARNs = append(p.RoleARNs, other) })
			s.profile["role-arn"] = other
		}, func(s *site) { must(s.t, s.emulator.PutRole(emulator.Role{ARN: other})) }),
		session("no sts:SetSourceIdentity", explainCommand, "aws iam get-role --role-name", func(s *site) {
			s.trust(`{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}`)
		}, trusted),
		session("the trust policy is for another name", "x509Subject/CN=web-01", "aws iam get-role --role-name", func(s *site) {
			s.trust(`{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Condition":{"StringEquals":{"aws:PrincipalTag/x509Subject/CN":"web-02"}}}`)
		}, trusted),
		session("an intermediate is missing", explainCommand, "aws rolesanywhere get-trust-anchor", func(s *site) {
			issuer := enrolltest.NewAuthority(s.t, "Issuing CA", s.ca)
			s.write("chain.pem", string(pemOf("CERTIFICATE", issuer.Raw)))
			s.issueBy(issuer, enrolltest.Unchanged)
		}, func(s *site) { s.reconfigure("intermediates", "chain.pem") }),
		session("the certificate is revoked", "Certificate revoked", "kedge-ca issue web-01", func(s *site) { s.revoke() }, func(s *site) { s.issue(func(*x509.Certificate) {}) }),
		session("throttled", "10 sessions a second", "", func(s *site) { s.inject("throttle*9") }, func(s *site) { s.emulator.ClearFaults() }),
		{name: "the service has trouble", check: "session", state: doctor.Failed, code: 1, says: "try again later", set: func(s *site) { s.inject("status=503*9") }, fix: func(s *site) { s.emulator.ClearFaults() }},
		{name: "a login page", check: "session", state: doctor.Failed, code: 1, says: "HTML", set: func(s *site) { s.inject("html*9") }, fix: func(s *site) { s.emulator.ClearFaults() }},
		{name: "the next role does not trust this one", check: "session", state: doctor.Failed, code: 3, says: "sts:SetSourceIdentity", set: func(s *site) {
			const next = "arn:aws:iam::444455556666:role/next"
			must(s.t, s.emulator.PutRole(emulator.Role{ARN: next, Actions: []string{"sts:AssumeRole"}}))
			s.profile["assume-role-arn"], s.profile["sts-endpoint"] = "["+next+"]", s.profile["endpoint"]
		}},
		{name: "STS is not reached", check: "caller-identity", state: doctor.Warning, code: 0, says: "connection refused", set: func(s *site) {
			s.args = []string{"--sts-endpoint", nowhereURL}
		}, fix: withoutFlags},
		{name: "another STS", check: "caller-identity", state: doctor.Failed, code: 3, says: "does not take the session: AWS refused the session: ", set: func(s *site) {
			s.args = []string{"--sts-endpoint", newSite(s.t).profile["endpoint"]}
		}, fix: withoutFlags},
		{name: "an address of STS that is wrong", check: "caller-identity", state: doctor.Warning, code: 0, says: "STS was not asked: ", set: func(s *site) {
			s.args = []string{"--sts-endpoint", "sts.example.com"}
		}, fix: withoutFlags},
		{name: "a profile of 15 minutes", check: "session-duration", state: doctor.Warning, code: 0, says: "raise the duration of the profile", set: func(s *site) {
			s.awsProfile(func(p *emulator.Profile) { p.Duration = 15 * time.Minute })
		}, fix: func(s *site) { s.awsProfile(func(p *emulator.Profile) { p.Duration = time.Hour }) }},
	}
}

// administer has the commands that a test pastes run by the AWS CLI, for an administrator of the account. The
// operations of refused fail, and all are written to "operations".
func (s *site) administer(refused string) {
	s.t.Helper()
	aws, admin := testenv.Tool(s.t, "aws"), s.emulator.Administrator()
	s.env = append(s.env, "AWS_ACCESS_KEY_ID="+admin.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+admin.SecretAccessKey, "AWS_DEFAULT_REGION=us-east-1", "AWS_PAGER=")
	must(s.t, os.MkdirAll(s.path("bin"), 0o700))
	writeFile(s.t, s.path("bin/aws"), "#!/bin/sh\necho \"$2\" >>'"+s.path("operations")+"'\n[ \"$2\" != '"+refused+"' ] || exit 254\nexec "+aws+" --endpoint-url "+s.profile["endpoint"]+" \"$@\"\n")
	must(s.t, os.Chmod(s.path("bin/aws"), 0o700))
}

// TestDoctor_pasted: commands for an administrator are run by the AWS CLI, and the fault is gone. For what is
// disabled, the command changes nothing, and the words name the one that does.
func TestDoctor_pasted(t *testing.T) {
	t.Parallel()
	for _, f := range faultsOfSessions() {
		if !strings.Contains(f.says, "enable-") && !strings.Contains(f.run, "update-profile") && !strings.Contains(f.run, "update-role") {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			f.set(s)
			report, _, _ := s.run()
			got := s.result(report, f.check)
			s.administer("")
			s.paste(got.Command)
			if strings.Contains(f.run, "get-") {
				report, _, _ = s.run()
				if after := s.result(report, f.check); after.Seen != got.Seen {
					t.Errorf("the command that shows it changed it: %+v", after)
				}
				s.paste(strings.Replace(got.Command, "get-", "enable-", 1))
			}
			report, _, _ = s.run()
			if after := s.result(report, f.check); after.State != doctor.OK {
				t.Errorf("%+v", after)
			}
		})
	}
}

// TestDoctor_pastedRoles: the command that adds a role to a profile leaves the others there, and changes nothing
// when they cannot be read.
func TestDoctor_pastedRoles(t *testing.T) {
	t.Parallel()
	const other = "arn:aws:iam::111122223333:role/other"
	for _, refused := range []string{"", "get-profile"} {
		s := newSite(t)
		must(t, s.emulator.PutRole(emulator.Role{ARN: other}))
		first := s.profile["role-arn"]
		s.profile["role-arn"] = other
		report, _, _ := s.run()
		s.administer(refused)
		line := s.result(report, "session").Command
		if refused != "" {
			line = "! { " + line + "; }"
		}
		s.paste(line)
		operations, err := os.ReadFile(s.path("operations"))
		must(t, err)
		if changed := strings.Contains(string(operations), "update-profile"); changed == (refused != "") {
			t.Errorf("%q refused: %s", refused, operations)
		}
		s.profile["role-arn"] = first
		must(t, os.Remove(s.path("config.yaml")))
		report, _, _ = s.run()
		if got := s.result(report, "session"); got.State != doctor.OK {
			t.Errorf("%q refused: the role that was there: %+v", refused, got)
		}
	}
}
