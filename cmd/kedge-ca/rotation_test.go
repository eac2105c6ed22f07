package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/internal/testenv"
)

const (
	textUntrusted = "Untrusted signing certificate"
	textRevoked   = "Certificate revoked"
)

// fleet are the hosts of a rotation. The first half moves first. Each folder is a generation
// of their files, the old one and the new one, so that both can be tried at every step.
func fleet() (first, second, all []string) {
	for i := range 6 {
		all = append(all, fmt.Sprintf("web-%02d", i+1))
	}
	return all[:3], all[3:], all
}

// TestRotation rehearses a rotation: at every step hosts with certificates of the old root and
// of the new one get credentials as they should.
func TestRotation(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		old, new string // authorities that issue
	}{
		{"from the roots", "ca", "ca-2"},
		{"from intermediates", "issuing-1", "issuing-2"},
		{"to an intermediate", "ca", "issuing-2"},
		{"from an intermediate", "issuing-1", "ca-2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := newRehearsal(t)
			first, second, all := fleet()
			old, moved := x.mkdir("old"), x.path("new")

			x.run("init", "--no-password")
			if tt.old != "ca" {
				x.run("intermediate", tt.old, "--no-password")
			}
			for _, name := range all {
				x.run("issue", name, "--out", old, "--lifetime", "72h")
			}
			x.register()
			x.accepted("before", "old", all...)

			x.run("rotate", "start", "--no-password")
			if tt.new != "ca-2" {
				x.run("intermediate", tt.new, "--parent", "ca-2", "--no-password")
			}
			x.run("issue", "early", "--out", old) // by the old root still
			x.accepted("started", "old", append(all, "early")...)

			x.run("issue", "trial", "--issuer", tt.new, "--out", old)
			x.refused("started, and not registered", textUntrusted, "old", "trial")
			x.register()
			x.accepted("both registered", "old", append(all, "early", "trial")...)

			x.run("rotate", "switch", "--yes", "--to", tt.new)
			x.accepted("switched", "old", all...)
			x.now = x.now.Add(time.Hour)
			x.copyFolder("old", "new")
			renewAll(x, moved, first)
			x.accepted("half moved", "new", all...)
			x.accepted("half moved, their old files", "old", all...)
			x.refuses("4 hosts need", "rotate", "finish") // the second half and early; trial is of the new root
			x.wantMoved("half moved", 4, 4)

			x.now = x.now.Add(24 * time.Hour)
			renewAll(x, moved, second)
			x.wantMoved("all moved", 6, 0)
			x.run("rotate", "finish")
			x.accepted("finished, both registered", "new", all...)
			x.accepted("finished, both registered", "old", all...)
			x.register()
			x.accepted("finished", "new", all...)
			x.refused("finished", textUntrusted, "old", all...)
			x.run("issue", "late", "--out", moved)
			x.accepted("finished", "new", "late")
		})
	}
}

func renewAll(x *rehearsal, folder string, names []string) {
	x.t.Helper()
	for _, name := range names {
		x.run("renew", name, "--out", folder)
	}
}

func (x *rehearsal) wantMoved(step string, moved, remaining int) {
	x.t.Helper()
	if status := x.run("rotate", "status"); !strings.Contains(status, fmt.Sprintf("  %d moved, %d remaining\n", moved, remaining)) {
		x.t.Errorf("%s:\n%s\nwant %d moved, %d remaining", step, status, moved, remaining)
	}
}

// TestRotation_revoked: while both roots are registered, the lists of both count.
func TestRotation_revoked(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	first, second, all := fleet()
	old, moved := x.mkdir("old"), x.path("new")
	x.run("init", "--no-password")
	for _, name := range all {
		x.run("issue", name, "--out", old)
	}
	x.run("rotate", "start", "--no-password")
	x.run("rotate", "switch", "--yes")
	x.copyFolder("old", "new")
	renewAll(x, moved, first)
	x.register()
	x.accepted("before", "new", all...)

	x.run("revoke", filepath.Join(old, first[0]+".pem"), filepath.Join(moved, first[1]+".pem"), filepath.Join(old, second[0]+".pem"), "--reason", "superseded", "--yes")
	x.run("crl")
	x.register("ca/crl/ca.crl", "ca/crl/ca-2.crl")
	x.refused("revoked by the old root", textRevoked, "old", first[0], second[0])
	x.refused("revoked by the new root", textRevoked, "new", first[1])
	x.accepted("others", "old", first[1], first[2], second[1], second[2])
	x.accepted("others", "new", first[0], first[2], second[1], second[2])

	x.run("rotate", "finish", "--yes")
	x.run("crl", "--issuer", "ca-2")
	x.register("ca/crl/ca-2.crl")
	x.refused("finished", textRevoked, "new", first[1])
	x.accepted("finished", "new", first[0], first[2])
}

// TestRotation_postgres: nothing of it goes by the engine of the ledger.
func TestRotation_postgres(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	first, second, all := fleet()
	old := x.mkdir("old")
	x.mkdir("ca")
	x.write("ca/kedge-ca.yaml", []byte("ledger: "+testenv.Postgres(t)+"\n"))
	x.run("init", "--no-password")
	for _, name := range all {
		x.run("issue", name, "--out", old)
	}
	x.run("rotate", "start", "--no-password")
	x.run("rotate", "switch", "--yes")
	x.copyFolder("old", "new")
	renewAll(x, x.path("new"), first)
	x.wantMoved("half moved", 3, 3)
	x.register()
	x.accepted("half moved", "new", all...)
	if rows := x.run("rotate", "status", "--csv"); strings.Count(rows, ",true,2031-05-01T12:00:00Z\n") != 3 || strings.Count(rows, ",false,\n") != 3 {
		t.Errorf("rows:\n%s", rows)
	}
	renewAll(x, x.path("new"), second)
	x.run("rotate", "finish")
	x.register()
	x.accepted("finished", "new", all...)
	x.refused("finished", textUntrusted, "old", all...)
}

// TestRotation_reopen: hosts that a finish left behind get credentials again, once the trust anchor
// has both roots again, and move.
func TestRotation_reopen(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	first, second, all := fleet()
	old, moved := x.mkdir("old"), x.path("new")
	x.run("init", "--no-password")
	x.run("intermediate", "issuing-1", "--no-password")
	for _, name := range all {
		x.run("issue", name, "--out", old, "--lifetime", "72h")
	}
	x.run("rotate", "start", "--no-password")
	x.run("rotate", "switch", "--yes", "--to", "ca-2")
	x.copyFolder("old", "new")
	renewAll(x, moved, first)
	x.register()
	x.accepted("both registered", "new", all...)

	_, _, words := x.try("rotate", "finish", "--yes")
	if !strings.Contains(words, "warning: 3 hosts are left behind ("+strings.Join(second, ", ")+")") {
		t.Errorf("who is left behind is not said:\n%s", words)
	}
	x.register()
	x.accepted("finished", "new", first...)
	x.refused("finished", textUntrusted, "new", second...)

	x.run("rotate", "reopen")
	x.refused("reopened, and not registered", textUntrusted, "new", second...)
	x.register()
	x.accepted("reopened", "new", all...)
	x.accepted("reopened", "old", all...)
	x.wantMoved("reopened", 3, 3)
	renewAll(x, moved, second)
	x.run("rotate", "finish")
	x.register()
	x.accepted("finished again", "new", all...)
	x.refused("finished again", textUntrusted, "old", all...)

	x.now = x.now.Add(11 * 365 * 24 * time.Hour)
	x.refuses("ended on", "rotate", "reopen")
}
