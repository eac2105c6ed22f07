package main

import (
	"strings"
	"testing"
	"time"

	"kedge/internal/cli"
)

// TestExpiry: status, expiring and issue --from report certificates that expire without a
// successor.
func TestExpiry(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	hosts := x.mkdir("hosts")
	x.run("init", "--no-password")
	x.write("hosts.csv", []byte("name,lifetime\nweb-01,2h\nweb-02,24h\nweb-03,24h\n"))
	list := []string{"issue", "--from", x.path("hosts.csv"), "--out", hosts}
	quiet := func(step string, args ...string) {
		t.Helper()
		if code, _, words := x.try(args...); code != cli.ExitDone || strings.Contains(words, "warning") {
			t.Errorf("%s: exit %d\n%s", step, code, words)
		}
	}
	said := func(step string, code int, text string, args ...string) {
		t.Helper()
		if got, out, words := x.try(args...); got != code || !strings.Contains(out+words, text) {
			t.Errorf("%s: exit %d\n%s%swant exit %d, %s", step, got, out, words, code, text)
		}
	}
	quiet("issued", list...)
	quiet("fresh", list...)
	quiet("fresh", "status", "--check")

	x.now = x.now.Add(100 * time.Minute)
	said("nearly", 0, "warning: 1 certificate is nearly expired ("+hosts+"/web-01.pem): kedge-ca renew --from "+x.path("hosts.csv")+" --out "+hosts+"\n", list...)
	said("nearly", 1, "warning: 1 leaf is nearly expired without a successor (web-01): kedge-ca renew NAME", "status", "--check")
	said("nearly", 0, "without successor:  0 expired, 1 nearly expired\n", "status")
	x.write("ca/kedge-ca.yaml", []byte("expiry: {warn: 10m}\n"))
	quiet("another threshold", list...)
	quiet("another threshold", "status", "--check")
	x.write("ca/kedge-ca.yaml", []byte("expiry: {warn: 25%, forget: 2d}\n"))

	x.now = x.now.Add(20 * time.Minute)
	x.now = x.now.Add(18 * time.Hour)
	said("expired", 0, "warning: 1 certificate has expired ("+hosts+"/web-01.pem)", list...)
	said("expired", 0, "2 certificates are nearly expired", list...)
	said("expired", 1, "error: 2 things need doing", "status", "--check")
	said("expired", 0, `"leaves": {
    "expired": 1,
    "expiring": 2
  }`, "status", "--json")
	table := x.run("expiring", "--within", "8h")
	if lines := strings.Split(table, "\n"); len(lines) != 5 || !strings.Contains(lines[1], "  expired  ") || !strings.Contains(lines[1], "CN=web-01") || !strings.Contains(lines[2], "  valid  ") {
		t.Errorf("expiring:\n%s", table)
	}
	if table := x.run("expiring", "--replaced"); strings.Contains(table, "web-01") {
		t.Errorf("expiring --replaced:\n%s", table)
	}

	// What is renewed, and what is issued to another key, has a successor.
	x.run("renew", "--all", "--out", hosts, "--within", "8h")
	quiet("renewed", "status", "--check")
	quiet("renewed", list...)
	if table := x.run("expiring", "--within", "1h"); table != "" {
		t.Errorf("renewed:\n%s", table)
	}
	x.now = x.now.Add(3 * time.Hour) // web-01 is expired again
	x.run("issue", "web-01", "--out", x.path("new"))
	quiet("issued anew", "status", "--check")
	x.run("issue", "gone", "--out", hosts, "--lifetime", "1h")
	x.now = x.now.Add(7 * time.Hour)
	said("gone", 1, "1 leaf has expired without a successor (gone)", "status", "--check")
	x.run("renew", "web-01", "--out", x.path("new"), "--lifetime", "7d")
	said("ended", 1, "can no longer be renewed: its name was issued to another key on ", "renew", "web-0*", "--out", hosts, "--lifetime", "7d")
	said("ended", 1, "hint: renew the one that took its place, where its files are; kedge-ca who ", "renew", "web-01", "--out", hosts)
	x.now = x.now.Add(72 * time.Hour)
	quiet("gone, and forgotten", "status", "--check")
}
