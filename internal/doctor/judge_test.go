package doctor

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestSessionTags: repeated attributes are joined, and of the alternative names the first ones count.
func TestSessionTags(t *testing.T) {
	t.Parallel()
	uri, _ := url.Parse("spiffe://example.com/web")
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(0x0abc), DNSNames: []string{"a.example.com", "b.example.com"}, URIs: []*url.URL{uri},
		Subject: nameOf(pkix.Name{CommonName: "web-01", OrganizationalUnit: []string{"a", "b"}}), Issuer: nameOf(pkix.Name{CommonName: "CA"}),
	}
	const want = "x509Issuer/CN=CA, x509SAN/DNS=a.example.com, x509SAN/URI=spiffe://example.com/web, x509Subject/CN=web-01, x509Subject/OU=a/b"
	if got := listTags(sessionTags(leaf)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for name, identity := range map[string]string{"web-01": "CN=web-01", strings.Repeat("n", 61): "CN=" + strings.Repeat("n", 61), strings.Repeat("n", 64): strings.Repeat("n", 64), strings.Repeat("n", 65): "ID=0abc", "": "ID=0abc"} {
		leaf.Subject.CommonName = name
		if got := sourceIdentity(leaf); got != identity {
			t.Errorf("%q: %q, want %q", name, got, identity)
		}
	}
	for value, state := range map[string]State{"a b_c.:/=+-@ü9": OK, "a&b": Warning, "a(b)": Warning, "a\xff": Warning, strings.Repeat("x", 256): OK, strings.Repeat("x", 257): Warning} {
		if got := judgeTags(map[string]string{"x509Subject/O": value}, "p/1"); got.State != state {
			t.Errorf("%q: %+v", value, got)
		}
	}
	many := map[string]string{}
	for i := range maxTags + 1 {
		many[strings.Repeat("k", i+1)] = "v"
	}
	if got := judgeTags(many, ""); got.State != Warning {
		t.Errorf("%+v", got)
	}
}

// nameOf is a name as it is in a certificate.
func nameOf(n pkix.Name) (parsed pkix.Name) {
	rdns := n.ToRDNSequence()
	parsed.FillFromRDNSequence(&rdns)
	return parsed
}

// TestJudgeRole: the session must be of the role, of its account, and of no other whose name begins alike.
func TestJudgeRole(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::111122223333:role/path/web"
	for arn, state := range map[string]State{
		"arn:aws:sts::111122223333:assumed-role/web/1":   OK,
		"arn:aws:sts::111122223333:assumed-role/web-2/1": Failed,
		"arn:aws:sts::444455556666:assumed-role/web/1":   Failed,
		"arn:aws:iam::111122223333:user/web":             Failed,
		"":                                               Blocked,
	} {
		if got := judgeRole(arn, role); got.State != state {
			t.Errorf("%s: %+v", arn, got)
		}
	}
}

// TestJudgeDuration: a session that is shorter than was asked for is a warning.
func TestJudgeDuration(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		lasts, asked time.Duration
		want         State
	}{
		{59 * time.Minute, time.Hour, OK}, {14 * time.Minute, 15 * time.Minute, OK}, {14 * time.Minute, time.Hour, Warning}, {59 * time.Minute, 2 * time.Hour, Warning},
	} {
		if got := judgeDuration(tt.lasts, tt.asked); got.State != tt.want {
			t.Errorf("%+v: %+v", tt, got)
		}
	}
}

// TestJudgeClock: the service takes five minutes; other programs are warned of from one on.
func TestJudgeClock(t *testing.T) {
	t.Parallel()
	if got := judgeClock(0, true); got.State != OK {
		t.Errorf("%+v", got)
	}
	if got := judgeClock(time.Hour, false); got.State != OK || !strings.Contains(got.Seen, "not known") {
		t.Errorf("%+v", got)
	}
	for _, skew := range []time.Duration{2 * time.Minute, -10 * time.Minute} {
		if got := judgeClock(skew, true); got.State != Warning || got.Command == "" || strings.Contains(got.Advice, "refuses") != (skew.Abs() > maxSkew) {
			t.Errorf("%s: %+v", skew, got)
		}
	}
}

// TestFinding_run: values are quoted for a shell, and one that cannot be is no command.
func TestFinding_run(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ value, want string }{
		{"/a", "ls /a -l"}, {"/a b", `ls "/a b" -l`}, {"$(id)%s", `ls '$(id)%s' -l`}, {"a'b`", "ls 'a'\"'\"'b`' -l"}, {"a\nb", ""},
	} {
		if got := ok("").run("ls %s -l", tt.value).Command; got != tt.want {
			t.Errorf("%q: %q, want %q", tt.value, got, tt.want)
		}
	}
}
