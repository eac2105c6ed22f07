package localca

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
)

// backup copies the ledger.
func (x *testCA) backup() string {
	x.Helper()
	c, err := Open(x.Context(), x.Config, ledger.Options{ReadOnly: true})
	if err != nil {
		x.Fatal(err)
	}
	file := x.path("backup.db")
	if err := errors.Join(c.Ledger.Backup(x.Context(), file), c.Close()); err != nil {
		x.Fatal(err)
	}
	return file
}

// crl makes the list of the root.
func (c *CA) crl(t *testing.T, terms issuance.CRLRequest) ([]*CRL, error) {
	t.Helper()
	all, _, err := c.Service.ToList(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.MakeCRLs(t.Context(), CRLRequest{all, terms}, func(*issuance.ForgottenError) error { return errNo }, func(*CRL) {})
}

// TestRestore: a ledger is made from a backup of the same CA only, and what its last list has and
// the backup lacks is told.
func TestRestore(t *testing.T) {
	t.Parallel()
	x, other := newTestCA(t), newTestCA(t)
	x.found()
	other.found()
	file := x.backup()
	c, err := Open(t.Context(), x.Config, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	made, err := c.crl(t, issuance.CRLRequest{})
	if err != nil || len(made) != 1 || made[0].NextUpdate.Sub(made[0].ThisUpdate) != time.Duration(c.Settings.CRL.Valid) {
		t.Fatalf("%+v, %v", made, err)
	}
	for _, path := range []string{made[0].File, made[0].DERFile} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(x.path("ledger.db")); err != nil {
		t.Fatal(err)
	}
	if _, err := PlanRestore(t.Context(), x.Config, other.backup(), false); !is[*OtherCAError](err) {
		t.Errorf("another CA: %v", err)
	}
	plan, err := PlanRestore(t.Context(), x.Config, file, false)
	if err != nil || plan.Backup.File != file || plan.Backup.Seq == 0 {
		t.Fatalf("%+v, %v", plan, err)
	}
	if err := plan.Restore(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	c = x.open()
	lists, err := c.WarnRestored(t.Context())
	if err != nil || lists != 1 || !slices.ContainsFunc(x.warnings, func(text string) bool { return strings.Contains(text, "is one that the ledger did not record") }) {
		t.Errorf("%d, %v, %q", lists, err, x.warnings)
	}
	if _, err := c.Verify(t.Context(), ledger.VerifyOptions{}); !is[*issuance.ForgottenError](err) {
		t.Errorf("verified: %v", err)
	}
	if _, err := c.crl(t, issuance.CRLRequest{Drop: true}); err == nil || err.Error() != "no" {
		t.Errorf("dropped without agreement: %v", err)
	}
	if made, err := c.crl(t, issuance.CRLRequest{Take: true}); err != nil || made[0].Number != 2 {
		t.Errorf("%+v, %v", made, err)
	}
	if v, err := c.Verify(t.Context(), ledger.VerifyOptions{Head: plan.Backup.Head}); err != nil || v.Entries <= plan.Backup.Seq {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestVerify: a ledger that was changed is an error, with a warning for each fault; so is one that
// lacks an earlier head.
func TestVerify(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	x.found()
	file := x.backup()
	v, err := VerifyBackup(t.Context(), file, x.Config, ledger.VerifyOptions{})
	if err != nil || v.Certificates != 1 || v.Ledger == "" {
		t.Fatalf("%+v, %v", v, err)
	}
	if again, err := x.open().Verify(t.Context(), ledger.VerifyOptions{Head: v.Head}); err != nil || again.Head != v.Head {
		t.Errorf("%+v, %v", again, err)
	}
	other := "1:" + strings.Repeat("0", 64)
	if _, err := VerifyBackup(t.Context(), file, x.Config, ledger.VerifyOptions{Head: other}); !is[*ledger.DamagedError](err) || len(x.warnings) != 1 {
		t.Errorf("another head: %v, %q", err, x.warnings)
	}
	if _, err := VerifyBackup(t.Context(), x.path("none.db"), x.Config, ledger.VerifyOptions{}); !is[*ledger.MissingError](err) {
		t.Errorf("no backup: %v", err)
	}
}

// TestCRLTargets: ARNs that are given are stored for the authority that they are of, if they fit.
func TestCRLTargets(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:rolesanywhere:eu-west-1:111122223333:"
	anchor, crl := arn+"trust-anchor/11111111-2222-3333-4444-555555555555", arn+"crl/11111111-2222-3333-4444-555555555555"
	root, sub := ledger.Authority{Name: "ca"}, ledger.Authority{Name: "sub", Parent: "ca"}
	for _, tt := range []struct {
		all   []ledger.Authority
		given ARNs
		known bool // the list of the last authority
		want  string
	}{
		{[]ledger.Authority{root}, ARNs{}, false, ""},
		{[]ledger.Authority{root}, ARNs{Anchor: anchor}, true, "trust_anchor: " + anchor},
		{[]ledger.Authority{sub}, ARNs{Anchor: anchor}, true, "sub: " + anchor},
		{[]ledger.Authority{root, sub}, ARNs{Anchor: anchor}, false, "trust_anchor: " + anchor},
		{[]ledger.Authority{sub}, ARNs{CRL: crl}, true, "crls:\n      sub: " + crl},
		{[]ledger.Authority{root, sub}, ARNs{CRL: crl}, false, "error"},
		{[]ledger.Authority{root}, ARNs{Anchor: strings.Replace(anchor, "eu-west-1", "us-east-1", 1), CRL: crl}, false, "error"},
	} {
		x := newTestCA(t)
		x.found()
		all, kept, err := x.open().CRLTargets(t.Context(), tt.all, tt.given)
		text, _ := os.ReadFile(x.path(cadir.AWSName))
		if tt.want == "error" {
			if err == nil || kept != "" || text != nil {
				t.Errorf("%+v: %v, %q", tt.given, err, text)
			}
			continue
		}
		if err != nil || len(all) != len(tt.all) || all[len(all)-1][0].IsKnown() != tt.known || (kept != "") != (tt.want != "") || !strings.Contains(string(text), tt.want) {
			t.Errorf("%+v: %+v, %q, %v: %s", tt.given, all, kept, err, text)
		}
	}
}

// TestCRLTargets_configured: a list that was pushed to the trust anchor that the configuration gives hosts goes there again.
// Revoked hosts are refused also by the trust anchor that the configuration gives hosts, in another
// place than those of aws.yaml.
func TestCRLTargets_configured(t *testing.T) {
	t.Parallel()
	const here, there = "arn:aws:rolesanywhere:eu-west-1:111122223333:", "arn:aws:rolesanywhere:us-east-1:444455556666:"
	const id = "/11111111-2222-3333-4444-555555555555"
	root := []ledger.Authority{{Name: "ca"}}
	x := newTestCA(t)
	x.found()
	c := x.withSettings("server: {aws: {trust_anchor_arn: \"" + there + "trust-anchor" + id + "\", profile_arn: \"" + there + "profile" + id + "\", role_arn: \"arn:aws:iam::444455556666:role/web\"}}\n")
	for _, tt := range []struct {
		given string
		want  []string
	}{
		{"", []string{there + "trust-anchor" + id}},
		{there + "crl" + id, []string{there + "trust-anchor" + id}}, // as a push keeps it
		{here + "trust-anchor" + id, []string{here + "trust-anchor" + id, there + "trust-anchor" + id}},
		{there + "trust-anchor" + strings.Replace(id, "1111", "9999", 1), []string{here + "trust-anchor" + id, there + "trust-anchor" + strings.Replace(id, "1111", "9999", 1)}},
	} {
		given := ARNs{Anchor: tt.given}
		if strings.Contains(tt.given, ":crl/") {
			given = ARNs{CRL: tt.given}
		}
		all, _, err := c.CRLTargets(t.Context(), root, given)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, list := range all[0] {
			got = append(got, list.Anchor().Text)
		}
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.given, got, tt.want)
		}
	}
}

func TestARNs_Check(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:rolesanywhere:eu-west-1:111122223333:"
	anchor, crl := arn+"trust-anchor/11111111-2222-3333-4444-555555555555", arn+"crl/11111111-2222-3333-4444-555555555555"
	for _, tt := range []struct {
		given ARNs
		want  string // the beginning of the error
	}{
		{ARNs{}, ""},
		{ARNs{Anchor: anchor}, ""},
		{ARNs{CRL: crl}, ""},
		{ARNs{CRL: arn + "alias/crl/hosts"}, ""},
		{ARNs{Anchor: crl}, "--trust-anchor: "},
		{ARNs{Anchor: arn + "alias/trust-anchor/hosts"}, "--trust-anchor: "},
		{ARNs{Anchor: anchor, CRL: anchor}, "--crl: "},
		{ARNs{Anchor: "x", CRL: "x"}, "--trust-anchor: "},
	} {
		if err := tt.given.Check(); (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt.given, err)
		}
	}
}
