package awsadmin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"iter"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/report"
)

// hostsOf yields hosts with certificates of these names, in a state; a name can have a URI behind a space.
func hostsOf(t *testing.T, state string, names ...string) iter.Seq2[issuance.Host, error] {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var hosts []issuance.Host
	for i, name := range names {
		name, uri, _ := strings.Cut(name, " ")
		template := &x509.Certificate{SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
		if uri != "" {
			u, err := url.Parse(uri)
			if err != nil {
				t.Fatal(err)
			}
			template.URIs = []*url.URL{u}
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, issuance.Host{Holder: ledger.Holder{Certificate: ledger.Certificate{DER: der, CommonName: name}}, State: state})
	}
	return records(hosts)
}

func reachOf(t *testing.T, l Linter, policy string, hosts iter.Seq2[issuance.Host, error]) Reach {
	t.Helper()
	trust, err := ReadTrust([]byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Reach(trust, hosts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestReach: the hosts that get a role are those that IAM would take, by the tags of their certificates.
func TestReach(t *testing.T) {
	t.Parallel()
	names := []string{"web-01", "web-02.example.com", "db-01 spiffe://ex.com/db/1"}
	own := Linter{Anchors: []string{otherARN, anchorARN}}
	for _, tt := range []struct {
		name   string
		linter Linter
		policy string
		want   []string
	}{
		{"name", own, statementWith(nil), []string{"web-01"}},
		{"pattern", own, tagged(`"StringLike":{"aws:PrincipalTag/x509Subject/CN":"web-*"}`), []string{"web-01", "web-02.example.com"}},
		{"URI", own, tagged(`"StringLike":{"aws:PrincipalTag/x509SAN/URI":"spiffe://ex.com/*"}`), []string{"db-01"}},
		{"source identity", own, tagged(`"StringEquals":{"sts:SourceIdentity":"CN=web-01"}`), nil}, // TagSession has no such key
		{"source identity, TagSession apart", own, identified(`"StringEquals":{"sts:SourceIdentity":"CN=web-01"}`), []string{"web-01"}},
		{"all", own, conditioned(`{"ArnEquals":{"aws:SourceArn":"ANCHOR"}}`), []string{"web-01", "web-02.example.com", "db-01"}},
		{"no TagSession", own, with("Action", `["sts:AssumeRole","sts:SetSourceIdentity"]`), nil},
		{"another trust anchor", Linter{Anchors: []string{otherARN}}, statementWith(nil), nil},
		{"trust anchor not known", Linter{}, statementWith(nil), []string{"web-01"}},
		{"trust anchor neither known nor named", Linter{}, conditioned(`{}`), []string{"web-01", "web-02.example.com", "db-01"}},
		{"not mapped", Linter{Anchors: own.Anchors, Profile: &Mapping{Fields: map[string][]string{"x509Subject": {"OU"}}}}, statementWith(nil), nil},
		{"later", Linter{Anchors: own.Anchors, Now: time.Unix(2e9, 0)}, tagged(`"DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}`), nil},
	} {
		got := reachOf(t, tt.linter, tt.policy, hostsOf(t, ledger.Valid, names...))
		if !slices.Equal(got.Names, tt.want) || got.Hosts != 3 {
			t.Errorf("%s: %+v, want %q", tt.name, got, tt.want)
		}
	}
}

// TestReach_states: hosts whose certificate is of no use get no role; one that is late does.
func TestReach_states(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]int{ledger.Valid: 1, issuance.Overdue: 1, ledger.Revoked: 0, ledger.Held: 0, ledger.Expired: 0, ledger.Pending: 0} {
		if got := reachOf(t, Linter{}, statementWith(nil), hostsOf(t, state, "web-01")); got.Hosts != want || len(got.Names) != want {
			t.Errorf("%s: %+v", state, got)
		}
	}
}

// TestCheck_noHost: a policy by which none of the hosts gets the role is a warning, unless there are none.
func TestCheck_noHost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		hosts []string
		want  string
	}{
		{[]string{"db-01", "db-02"}, "none of the 2 hosts in the ledger gets the role"},
		{[]string{"db-01"}, "the only host in the ledger does not get the role"},
		{[]string{"db-01", "web-01"}, ""},
		{nil, ""},
	} {
		linted, err := (Linter{Anchors: []string{anchorARN}}).Check("trust.json", []byte(statementWith(nil)), hostsOf(t, ledger.Valid, tt.hosts...))
		if err != nil {
			t.Fatal(err)
		}
		var got string
		for _, f := range linted.Findings {
			got += f.Text
			if f.Rule != "no-host" || f.Severity != ca.Warning || f.Source == "" {
				t.Errorf("%q: %+v", tt.hosts, f)
			}
		}
		if got != tt.want || linted.Err() != nil {
			t.Errorf("%q: %q, want %q", tt.hosts, got, tt.want)
		}
	}
}

// TestReach_fails: a ledger that cannot be read is no ledger without hosts.
func TestReach_fails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	trust, err := ReadTrust([]byte(statementWith(nil)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (Linter{}).Reach(trust, func(yield func(issuance.Host, error) bool) { yield(issuance.Host{}, broken) }); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// TestPolicy_lints: the policies that are written break no rule, and reach the hosts that they name.
func TestPolicy_lints(t *testing.T) {
	t.Parallel()
	for _, hosts := range []Hosts{{Names: []string{"web-01"}}, {Names: []string{"web-**"}}, {URIs: []string{"spiffe://ex.com/web/**"}}, {Names: []string{"web-01"}, Issuers: []string{"web-01"}}} {
		linted, err := Linter{Anchors: []string{anchorARN}}.Check("policy.json", []byte(policyOf(t, Trust{Anchor: anchorARN, Hosts: hosts})), hostsOf(t, ledger.Valid, "web-01 spiffe://ex.com/web/1", "db-01"))
		if err != nil || len(linted.Findings) > 0 || !slices.Equal(linted.Reach.Names, []string{"web-01"}) || linted.Err() != nil {
			t.Errorf("%+v: %+v, %v", hosts, linted, err)
		}
	}
}

// TestPolicy_lintsLong: a policy is not too long for a quota that was raised for it.
func TestPolicy_lintsLong(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 12 {
		names = append(names, strings.Repeat("n", 200)+strconv.Itoa(i))
	}
	text := policyOf(t, Trust{Anchor: anchorARN, Hosts: Hosts{Names: names}, MaxLength: MaxTrustLength})
	for length, want := range map[int]int{0: 1, MaxTrustLength: 0} {
		linted, err := Linter{Anchors: []string{anchorARN}, MaxLength: length}.Check("policy.json", []byte(text), hostsOf(t, ledger.Valid))
		if err != nil || len(linted.Findings) != want {
			t.Errorf("%d: %+v, %v", length, linted, err)
		}
	}
}

// TestLinted_Write: JSON has every host, and text the first of them.
func TestLinted_Write(t *testing.T) {
	t.Parallel()
	l := Linted{File: "p.json", Reach: Reach{Names: strings.Split(strings.Repeat("web ", 12)+"last", " "), Hosts: 40}}
	var text, document strings.Builder
	if err := errors.Join(l.Write(&text, report.Text), l.Write(&document, report.JSON)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "13 of 40: web, web") || !strings.Contains(text.String(), "and 3 more\n") || !strings.Contains(document.String(), `"last"`) || !strings.Contains(document.String(), `"hosts_in_ledger": 40`) {
		t.Errorf("%s%s", &text, &document)
	}
}
