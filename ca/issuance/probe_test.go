package issuance

import (
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// TestProbe: the certificate of a probe has the name of a host, and takes nothing from it: neither its name nor its
// lineage. It is short, and cannot be renewed.
func TestProbe(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	ctx := t.Context()
	issuer, err := x.Issuer(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	host := x.leaf("web-01", 20*time.Hour)
	cert, err := issuer.Probe(ctx, ca.DefaultProfile(), ca.Request{Name: "web-01", Public: newKey(t).Public(), Why: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	c := x.inLedger(cert)
	if c.Kind != ledger.Probe || c.Lineage != 0 || c.CommonName != "web-01" || cert.NotAfter.Sub(x.now) > time.Hour {
		t.Errorf("recorded as %+v", c)
	}
	if last, others, err := x.FindLast(ctx, "web-01"); err != nil || last.Kind != ledger.Leaf || others != 1 {
		t.Errorf("the last one is %+v, with %d others, %v", last, others, err)
	}
	if last, _, err := x.FindLast(ctx, c.Serial); err != nil || last.Seq != c.Seq {
		t.Errorf("by its serial: %+v, %v", last, err)
	}
	if names, _ := x.hostsNow(); len(names) != 1 || names[0] != "web-01 valid" {
		t.Errorf("hosts: %v", names)
	}
	if newest, err := x.l.Newest(ctx, x.inLedger(host)); err != nil || newest.Kind != ledger.Leaf {
		t.Errorf("the host's lineage has ended: %+v, %v", newest, err)
	}
	if _, err := issuer.Renew(ctx, Renewal{Old: c, Renewal: ca.Renewal{Profile: ca.DefaultProfile()}}); err == nil {
		t.Error("the certificate of a probe was renewed")
	}
	x.verified()
	x.leaf("web-02", time.Hour)
	if err := x.DenyRenewal(ctx, "web-02", "a test"); err != nil {
		t.Fatal(err)
	}
	if _, err := issuer.Probe(ctx, ca.DefaultProfile(), ca.Request{Name: "web-02", Public: newKey(t).Public()}); !is[*ledger.DeniedError](err) {
		t.Errorf("a denied name: %v", err)
	}
	if _, err := x.ServerCertificate(ctx, "", newKey(t).Public(), []string{"ca.example.com"}); err != nil {
		t.Fatal(err)
	}
	if _, err := issuer.Probe(ctx, ca.DefaultProfile(), ca.Request{Name: "web-01", DNS: []string{"ca.example.com"}, Public: newKey(t).Public()}); !is[*ledger.ReservedNameError](err) {
		t.Errorf("the name of a server: %v", err)
	}
}
