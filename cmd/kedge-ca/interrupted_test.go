package main

import (
	"os"
	"testing"
	"time"

	"kedge/ca/ledger"
)

// TestRotation_interrupted: each step is cut off after each thing that it writes, and run
// again.
func TestRotation_interrupted(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	x.run("init", "--no-password")
	x.run("intermediate", "issuing-1", "--no-password")
	x.run("issue", "web-01", "--out", x.mkdir("hosts"))

	// start: after the key; after the certificate is recorded; after the authority is.
	x.copyFolder("ca", "before")
	x.run("rotate", "start", "--no-password")
	x.copyFolder("ca", "started")
	key, cert := x.read("started/ca-2.key"), x.read("started/ca-2.pem")
	x.back("before")
	x.write("ca/ca-2.key", key)
	x.run("rotate", "start", "--no-password")
	x.wantKey("the key alone", "ca/ca-2.pem", key)
	if again := x.read("ca/ca-2.pem"); string(again) == string(cert) {
		t.Error("a certificate came back that was never recorded")
	}
	x.back("before")
	x.write("ca/ca-2.key", key)
	x.record("started/ca-2.pem")
	x.run("rotate", "start", "--no-password")
	x.same("recorded", "ca/ca-2.pem", cert)
	x.back("started")
	x.remove("ca/ca-2.pem")
	x.run("rotate", "start")
	x.same("an authority", "ca/ca-2.pem", cert)
	x.run("intermediate", "issuing-2", "--parent", "ca-2", "--no-password")

	// switch: after the entry that counts, before the states that follow.
	x.copyFolder("ca", "ready")
	x.change(func(l *ledger.Ledger) error {
		a := x.authority(l, "issuing-2")
		a.Issuing, a.State = true, ledger.Active
		return l.SetAuthorities(t.Context(), a)
	})
	x.refuses("can only be finished", "rotate", "abort", "--yes")
	x.run("rotate", "switch", "--yes")
	x.wantStates("switched", "ca active, ca-2 active, issuing-1 active, issuing-2 active issuing")

	// finish: after the first authority is retired, and with a switch that was cut off.
	x.copyFolder("ca", "switched")
	retire := func(name string) {
		x.change(func(l *ledger.Ledger) error {
			a := x.authority(l, name)
			a.Issuing, a.State = false, ledger.Retired
			return l.SetAuthorities(t.Context(), a)
		})
	}
	retire("issuing-1")
	x.run("rotate", "finish", "--yes")
	const finished = "ca retired, ca-2 active, issuing-1 retired, issuing-2 active issuing"
	x.wantStates("finished", finished)
	x.run("rotate", "finish")
	x.back("ready")
	x.change(func(l *ledger.Ledger) error {
		a := x.authority(l, "issuing-2")
		a.Issuing, a.State = true, ledger.Active
		return l.SetAuthorities(t.Context(), a)
	})
	x.run("rotate", "finish", "--yes")
	x.wantStates("finished at once", finished)

	// abort: after the first authority is retired.
	x.back("ready")
	retire("issuing-2")
	x.run("rotate", "abort")
	x.wantStates("aborted", "ca active, ca-2 retired, issuing-1 active issuing, issuing-2 retired")
	x.run("rotate", "abort")
	x.change(func(l *ledger.Ledger) error {
		report, err := l.Verify(t.Context(), ledger.VerifyOptions{})
		if !report.OK() {
			t.Errorf("the ledger: %+v", report)
		}
		return err
	})
}

// TestIntermediate_interrupted: making one is cut off after the key, and after the record.
func TestIntermediate_interrupted(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	x.run("init", "--no-password")
	x.copyFolder("ca", "before")
	x.run("intermediate", "issuing-1", "--no-password")
	key, cert := x.read("ca/issuing-1.key"), x.read("ca/issuing-1.pem")
	x.copyFolder("ca", "made")
	x.back("before")
	x.write("ca/issuing-1.key", key)
	x.run("intermediate", "issuing-1", "--no-password")
	x.wantKey("the key alone", "ca/issuing-1.pem", key)
	x.back("before")
	x.write("ca/issuing-1.key", key)
	x.record("made/issuing-1.pem")
	x.run("intermediate", "issuing-1", "--no-password")
	x.same("recorded", "ca/issuing-1.pem", cert)
	x.wantStates("recorded", "ca active, issuing-1 active issuing")
	x.back("made")
	x.remove("ca/issuing-1.pem")
	x.run("issue", "web-01", "--out", x.mkdir("hosts"))
	x.same("an authority", "ca/issuing-1.pem", cert)
	x.refuses(`there is an authority "issuing-1" already`, "intermediate", "issuing-1", "--no-password")
}

// TestRotate_asks: what is answered on the terminal counts.
func TestRotate_asks(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	x.run("init", "--no-password")
	x.run("issue", "web-01", "--out", x.mkdir("hosts"))
	x.run("rotate", "start", "--no-password")
	var asked []string
	x.confirm = func(question string) (bool, error) {
		asked = append(asked, question)
		return len(asked)%2 == 0, nil
	}
	x.refuses("not confirmed; nothing was changed", "rotate", "switch")
	x.wantStates("declined", "ca active issuing, ca-2 next")
	x.run("rotate", "switch")
	x.wantStates("agreed", "ca active, ca-2 active issuing")
	x.refuses("not confirmed; nothing was changed", "rotate", "finish")
	x.run("rotate", "finish")
	x.wantStates("agreed", "ca retired, ca-2 active issuing")
	want := []string{
		`issue from "ca-2" (the trust anchor at AWS must have the bundle of "ca" and "ca-2")?`, `retire "ca", which 1 host needs (web-01)?`,
	}
	if len(asked) != 4 || asked[0] != want[0] || asked[2] != want[1] {
		t.Errorf("asked %q, want each of %q twice", asked, want)
	}
}

// TestRenewAuthority: certificates issued before and after the CA's own were renewed are
// accepted, with the bundle of either time. After a renewal that was interrupted, the ledger has
// the certificate, and the file gets it.
func TestRenewAuthority(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	hosts := x.mkdir("hosts")
	x.run("init", "--no-password")
	x.run("intermediate", "issuing-1", "--no-password")
	x.run("issue", "old", "--out", hosts)
	x.register()
	x.now = x.now.Add(time.Hour)
	for _, name := range []string{"ca", "issuing-1"} {
		before := x.read("ca/" + name + ".pem")
		x.run("renew", "--authority", name)
		cert := x.read("ca/" + name + ".pem")
		if string(cert) == string(before) {
			t.Errorf("%s has the same certificate", name)
		}
		if err := os.WriteFile(x.path("ca/"+name+".pem"), before, 0o644); err != nil {
			t.Fatal(err)
		}
		x.run("crl", "--issuer", name) // which opens it
		x.same("written again from the ledger", "ca/"+name+".pem", cert)
		x.run("issue", "below-"+name, "--out", hosts)
	}
	all := []string{"old", "below-ca", "below-issuing-1"}
	x.accepted("the old anchor", "hosts", all...)
	x.register()
	x.accepted("the renewed anchor", "hosts", all...)
}
