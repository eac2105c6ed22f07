package main

import (
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/emulator"
	"kedge/internal/localca"
	"kedge/internal/testenv"
)

// TestRevocation: from revoke over crl and the import to a host that is refused, and back.
func TestRevocation(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	hosts := x.mkdir("hosts")
	x.run("init", "--no-password")
	x.run("issue", "web-01", "--lifetime", "2h", "--out", hosts)
	x.run("issue", "web-02", "--lifetime", "600h", "--out", hosts)
	x.run("issue", "web-03", "--lifetime", "600h", "--out", hosts)
	x.register()
	x.run("revoke", "web-01", "--reason", "key-compromise")
	x.accepted("no list yet", "hosts", "web-01", "web-02", "web-03")

	x.run("crl")
	x.register("ca/crl/ca.crl")
	x.refused("revoked", textRevoked, "hosts", "web-01")
	x.accepted("not revoked", "hosts", "web-02", "web-03")

	x.run("revoke", "web-02", "--reason", "certificate-hold")
	x.run("crl")
	x.register("ca/crl/ca.crl")
	x.refused("on hold", textRevoked, "hosts", "web-01", "web-02")
	x.accepted("not revoked", "hosts", "web-03")
	x.run("unrevoke", "web-02")
	x.run("crl")
	x.register("ca/crl/ca.crl")
	x.refused("still revoked", textRevoked, "hosts", "web-01")
	x.accepted("released", "hosts", "web-02", "web-03")

	x.run("revoke", "web-03")
	first, second := x.serial("hosts/web-01.pem"), x.serial("hosts/web-03.pem")
	x.now = x.now.Add(119 * time.Minute)
	if made := x.crl(); made.Entries != 2 || !slices.Equal(made.Added, []string{second}) || len(made.Removed) != 0 {
		t.Errorf("before web-01 has expired: %+v", made)
	}
	x.now = x.now.Add(2 * time.Minute)
	if made := x.crl(); made.Entries != 1 || !slices.Equal(made.Removed, []string{first}) || len(made.Added) != 0 {
		t.Errorf("after web-01 has expired: %+v", made)
	}
	if got := x.listed("ca/crl/ca.der"); !slices.Equal(got, []string{second}) {
		t.Errorf("the list has %q, want %q", got, second)
	}
	x.register("ca/crl/ca.crl")
	x.refused("revoked", textRevoked, "hosts", "web-03")
	x.accepted("never revoked for good", "hosts", "web-02")
}

// TestRevocation_intermediate: the list of the root takes an intermediate away with all below;
// that of an intermediate counts where the intermediate is the trust anchor.
func TestRevocation_intermediate(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	hosts := x.mkdir("hosts")
	x.run("init", "--no-password")
	for _, name := range []string{"int-1", "int-2"} {
		x.run("intermediate", name, "--no-password", "--keep-issuer")
	}
	for host, issuer := range map[string]string{"web-01": "int-1", "web-02": "int-2", "web-03": "int-2"} {
		x.run("issue", host, "--issuer", issuer, "--out", hosts)
	}
	x.register()
	x.accepted("nothing revoked", "hosts", "web-01", "web-02", "web-03")

	x.refuses("of a CA, below which no host gets a session any more? needs a yes", "revoke", "--file", x.path("ca/int-1.pem"))
	x.run("revoke", "--file", x.path("ca/int-1.pem"), "--reason", "ca-compromise", "--yes")
	x.run("crl")
	x.register("ca/crl/ca.crl")
	x.refused("below a revoked CA", textRevoked, "hosts", "web-01")
	x.accepted("below another", "hosts", "web-02", "web-03")

	code, _, words := x.try("revoke", "web-02")
	if code != cli.ExitDone || !strings.Contains(words, `warning: the list of the intermediate "int-2" can be imported only where`) || !strings.Contains(words, "kedge-ca crl --issuer int-2\n") {
		t.Errorf("exit %d: %s", code, words)
	}
	x.run("crl", "--issuer", "int-2")
	list, err := os.ReadFile(x.path("ca/crl/int-2.crl"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.service.ImportCRL(x.service.TrustAnchorARN(), list); err == nil {
		t.Error("the anchor of the root took the list of an intermediate")
	}
	x.registerAs(emulator.TrustAnchor{Certificates: []byte(x.run("bundle", "--authority", "int-2"))}, "ca/crl/int-2.crl")
	x.refused("revoked by the intermediate", textRevoked, "hosts", "web-02")
	x.accepted("not revoked", "hosts", "web-03")
}

// TestCRL_race: several processes make lists at once. None uses the number of another, and the
// last is the one that stays.
func TestCRL_race(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	x.run("init", "--no-password")
	const count = 6
	numbers := make([]int64, count)
	var all sync.WaitGroup
	for i := range count {
		all.Go(func() {
			if code, out, words := x.try("crl", "--json"); code != cli.ExitDone {
				t.Errorf("exit %d: %s", code, words)
			} else {
				numbers[i] = decodeCRL(t, out).Number
			}
		})
	}
	all.Wait()
	slices.Sort(numbers)
	if numbers[0] < 1 || len(slices.Compact(numbers)) != count {
		t.Errorf("numbers %v", numbers)
	}
	list, err := x509.ParseRevocationList(x.read("ca/crl/ca.der"))
	if err != nil || list.Number.Int64() != numbers[count-1] {
		t.Errorf("list %v stays, of %v: %v", list.Number, numbers, err)
	}
}

// TestCRL_times: until when a list is good, and how long it will be small enough.
func TestCRL_times(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	x := newRehearsal(t)
	x.run("init", "--no-password", "--days", "100")
	if made := x.crl(); made.NextUpdate.Sub(made.ThisUpdate) != 7*day || !made.ThisUpdate.Equal(x.now) || made.DaysLeft != nil {
		t.Errorf("by default: %+v", made)
	}
	if err := os.WriteFile(x.path("ca/kedge-ca.yaml"), []byte("crl: {valid: 2d}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if made := x.crl(); made.NextUpdate.Sub(made.ThisUpdate) != 2*day {
		t.Errorf("by the configuration: %+v", made)
	}
	if made := x.crl("--valid", "36h"); made.NextUpdate.Sub(made.ThisUpdate) != 36*time.Hour {
		t.Errorf("by the flag: %+v", made)
	}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		x.now = x.now.Add(day)
		x.run("issue", name, "--lifetime", "240h", "--out", x.mkdir("hosts"))
		x.run("revoke", name)
	}
	if made := x.crl(); made.Entries != 5 || made.PerDay != 1.25 || made.DaysLeft == nil || *made.DaysLeft < 3000 {
		t.Errorf("5 in 4 days: %+v", made)
	}
	x.now = x.now.Add(35 * day)
	if made := x.crl(); made.Entries != 0 || len(made.Removed) != 5 || made.PerDay >= 0 || made.DaysLeft != nil {
		t.Errorf("all expired: %+v", made)
	}
	x.now = x.now.Add(100 * day)
	x.refuses("no authority that is in date has its key here", "crl")
	x.refuses("the CA certificate \"CN=kedge CA\" is valid from", "crl", "--issuer", "ca")
}

// TestQuery_postgres runs what reads the ledger on the other engine.
func TestQuery_postgres(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	hosts := x.mkdir("hosts")
	if err := os.WriteFile(filepath.Join(x.mkdir("ca"), "kedge-ca.yaml"), []byte("ledger: "+testenv.Postgres(t)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	x.run("init", "--no-password")
	for _, name := range []string{"web-01", "web-02", "db-01"} {
		x.run("issue", name, "--dns", name+".example.com", "--out", hosts)
	}
	x.run("revoke", "--subject", "CN = web-02")
	for _, tt := range []struct {
		args string
		want []string // in this order
	}{
		{"list --kind leaf --host web-*", []string{"web-01", "web-02"}},
		{"list --state revoked", []string{"web-02"}},
		{"list --san *.example.com --state valid", []string{"db-01", "web-01"}},
		{"expiring", []string{"web-01", "db-01"}},
		{"who CN=db-01", []string{"db-01"}},
		{"who " + x.serial("hosts/web-01.pem"), []string{"web-01"}},
		{"show web-02", []string{"state:", "revoked since", "web-02"}},
		{"ledger export --csv", []string{"web-01", "web-02", "db-01"}},
		{"status", []string{"4: 3 valid, 0 pending, 0 expired, 1 revoked", "is behind by 1"}},
		{"ledger verify", []string{":"}},
	} {
		rest := x.run(strings.Fields(tt.args)...)
		for _, want := range tt.want {
			before, after, ok := strings.Cut(rest, want)
			if !ok {
				t.Errorf("%s: %s is missing or out of order in:\n%s", tt.args, want, before)
			}
			rest = after
		}
	}
	if made := x.crl(); made.Number != 1 || made.Entries != 1 {
		t.Errorf("list: %+v", made)
	}
	x.run("ledger", "backup", x.path("copy.db"))
	x.refuses("", "ledger", "restore", x.path("copy.db"), "--yes")
	if err := os.Remove(x.path("ca/kedge-ca.yaml")); err != nil {
		t.Fatal(err)
	}
	x.run("ledger", "restore", x.path("copy.db"), "--yes")
	if got := x.run("who", "web-02"); !strings.Contains(got, "revoked") {
		t.Errorf("moved to SQLite: %s", got)
	}
}

// crl makes the list of the one authority.
func (x *rehearsal) crl(args ...string) localca.CRL {
	x.t.Helper()
	return decodeCRL(x.t, x.run(append([]string{"crl", "--json"}, args...)...))
}

func decodeCRL(t *testing.T, document string) localca.CRL {
	t.Helper()
	var made struct{ CRLs []localca.CRL }
	if err := json.Unmarshal([]byte(document), &made); err != nil || len(made.CRLs) != 1 {
		t.Fatalf("%v: %s", err, document)
	}
	return made.CRLs[0]
}

func (x *rehearsal) serial(file string) string {
	x.t.Helper()
	cert, err := cadir.ReadCertificate(x.path(file))
	if err != nil {
		x.t.Fatal(err)
	}
	return ca.SerialHex(cert)
}

// listed returns the serials on a list.
func (x *rehearsal) listed(file string) []string {
	x.t.Helper()
	data, err := os.ReadFile(x.path(file))
	if err != nil {
		x.t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(data)
	if err != nil {
		x.t.Fatal(err)
	}
	var serials []string
	for _, e := range list.RevokedCertificateEntries {
		serials = append(serials, ca.SerialHex(&x509.Certificate{SerialNumber: e.SerialNumber}))
	}
	return serials
}
