package cadir

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
)

const (
	anchorARN  = "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000001"
	crlARN     = "arn:aws:rolesanywhere:eu-west-1:111122223333:crl/6b656467-6500-4000-8000-000000000002"
	otherARN   = "arn:aws:rolesanywhere:us-east-1:444455556666:trust-anchor/6b656467-6500-4000-8000-000000000003"
	builtARN   = "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/6b656467-6500-4000-8000-000000000004"
	backupRole = "arn:aws:iam::111122223333:role/hosts/backup"
)

var ireland, virginia = Place{"111122223333", "eu-west-1"}, Place{"444455556666", "us-east-1"}

// TestPlaces: the ARNs of several places are kept in one file, each in its place.
func TestPlaces(t *testing.T) {
	t.Parallel()
	f := Folder{Dir: t.TempDir()}
	p, err := f.Places()
	if err != nil || len(p.Known()) != 0 || p.At(ireland).Anchor("") != "" {
		t.Fatalf("without a file: %+v, %v", p, err)
	}
	p.SetAnchor("", anchorARN)
	p.SetAnchor("issuing-1", anchorARN)
	p.SetCRL("ca", crlARN)
	p.SetAnchor("", otherARN)
	p.Change(ireland, func(a *AWS) {
		a.Profile = builtARN
		a.SetRole("backup", BuiltRole{ARN: backupRole, Policies: []string{"backup"}, Hosts: RoleHosts{Names: []string{"web-01"}}})
		a.AddUntried([]string{backupRole, "another"})
	})
	if err := f.WritePlaces(p); err != nil {
		t.Fatal(err)
	}
	again, err := f.Places()
	if err != nil || !reflect.DeepEqual(p, again) {
		t.Errorf("%+v, %v", again, err)
	}
	if a := again.At(ireland); a.Anchor("issuing-1") != anchorARN || a.Anchor("") != anchorARN || a.CRLs["ca"] != crlARN || a.Hosts["backup"].Names[0] != "web-01" || len(a.Untried) != 1 {
		t.Errorf("%+v", a)
	}
	if got := again.Others(ireland); len(got) != 1 || got[0] != virginia || again.At(virginia).Anchor("") != otherARN {
		t.Errorf("%+v", got)
	}
	if info, err := os.Stat(f.AWSPath()); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestPlaces_Forget: a place of which nothing is left is no place any more.
func TestPlaces_Forget(t *testing.T) {
	t.Parallel()
	p := new(Places)
	p.SetAnchor("", anchorARN)
	p.SetAnchor("", otherARN)
	if p.Forget(func(string) bool { return false }) {
		t.Error("nothing was gone")
	}
	if !p.Forget(func(arn string) bool { return arn == otherARN }) || len(p.Others(ireland)) != 0 || p.At(ireland).TrustAnchor != anchorARN {
		t.Errorf("%+v", p.Known())
	}
}

// TestPlaces_Forget_lists: a list goes with its trust anchor, also one that was imported by hand or is named by an alias;
// without trust anchors, ARNs of lists stay.
func TestPlaces_Forget_lists(t *testing.T) {
	t.Parallel()
	const other, alone = "arn:aws:rolesanywhere:us-east-1:444455556666:alias/crl/hosts", "arn:aws:rolesanywhere:us-east-1:777788889999:crl/6b656467-6500-4000-8000-000000000005"
	p := new(Places)
	p.SetAnchor("", anchorARN)
	p.SetCRL("ca", crlARN)
	p.SetAnchor("", otherARN)
	p.SetAnchor("issuing-1", strings.Replace(otherARN, "0003", "0006", 1))
	p.SetCRL("ca", other)
	p.SetCRL("issuing-1", other)
	p.SetCRL("ca", alone)
	p.Forget(func(arn string) bool { return arn == otherARN })
	if a := p.At(virginia); a.CRLs["ca"] != "" || a.CRLs["issuing-1"] != other {
		t.Errorf("%+v", a)
	}
	if p.At(ireland).CRLs["ca"] != crlARN || p.At(PlaceOf(alone)).CRLs["ca"] != alone {
		t.Errorf("%+v", p.Known())
	}
}

// TestPlaces_CheckRole: names of roles are unique in an account, whatever the region.
func TestPlaces_CheckRole(t *testing.T) {
	t.Parallel()
	p := new(Places)
	p.Change(ireland, func(a *AWS) { a.SetRole("backup", BuiltRole{ARN: backupRole}) })
	for place, want := range map[Place]bool{ireland: false, virginia: false, {ireland.Account, "us-east-1"}: true} {
		err := p.CheckRole("backup", place)
		if _, ok := errors.AsType[*SharedRoleError](err); ok != want || err != nil && !ok {
			t.Errorf("%s: %v", place, err)
		}
		if err := p.CheckRole("reports", place); err != nil {
			t.Error(err)
		}
	}
}

// TestParsePlaces_former: a file of the time when a CA had one trust anchor is read; what is elsewhere gets a place of its
// own.
func TestParsePlaces_former(t *testing.T) {
	t.Parallel()
	former := "# What this CA is called at IAM Roles Anywhere; kedge-ca aws up, bundle and crl keep it here.\n" +
		"trust_anchor: " + anchorARN + "\ntrust_anchors:\n  issuing-1: " + otherARN + "\ncrls:\n  ca: " + crlARN + "\nprofile: " + builtARN +
		"\nroles:\n  backup: " + backupRole + "\nuntried:\n  - " + backupRole + "\npolicies:\n  backup:\n    - backup\n"
	p, err := parsePlaces([]byte(former))
	if err != nil {
		t.Fatal(err)
	}
	want := &Places{All: []*AWS{
		{
			Account: "111122223333", Region: "eu-west-1", TrustAnchor: anchorARN, CRLs: map[string]string{"ca": crlARN}, Profile: builtARN, Roles: map[string]string{"backup": backupRole},
			Hosts: map[string]RoleHosts{}, Untried: []string{backupRole}, Policies: map[string][]string{"backup": {"backup"}},
		},
		{Account: "444455556666", Region: "us-east-1", TrustAnchors: map[string]string{"issuing-1": otherARN}},
	}}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("%+v\n%+v", p.All[0], p.All[1:])
	}
	for _, text := range []string{"", "{}\n", "places: []\n"} {
		if p, err := parsePlaces([]byte(text)); err != nil || len(p.All) != 0 {
			t.Errorf("%q: %+v, %v", text, p, err)
		}
	}
}

func TestParsePlaces_refuses(t *testing.T) {
	t.Parallel()
	const at = "account: \"111122223333\", region: eu-west-1"
	for _, tt := range []struct{ text, want string }{
		{"trust_anchro: x\n", `:1: unknown key "trust_anchro": did you mean trust_anchor? there are account, region, trust_anchor, trust_anchors, crls, profile, roles, hosts, untried, policies`},
		{"trust_anchor: " + crlARN + "\n", `: trust_anchor: "` + crlARN + `" is not the ARN of a trust anchor`},
		{"crls: {ca: " + anchorARN + "}\n", `: crls.ca: "` + anchorARN + `" is not the ARN of a CRL`},
		{"trust_anchors: {a: x}\n", `: trust_anchors.a: "x" is not the ARN of a trust anchor`},
		{"trust_anchor: " + anchorARN + "\n---\n{}\n", ":2: a second document cannot follow"},
		{"places:\n  - {" + at + ", trust_anchro: x}\n", `:2: unknown key "trust_anchro": did you mean trust_anchor? there are account, region, trust_anchor, trust_anchors, crls, profile, roles, hosts, untried, policies`},
		{"places:\n  - {" + at + ", trust_anchor: x}\n", `: places[0]: trust_anchor: "x" is not the ARN of a trust anchor`},
		{"places:\n  - {" + at + ", trust_anchor: " + otherARN + "}\n", ": places[0]: " + otherARN + " is not in account 111122223333, eu-west-1"},
		{"places:\n  - {" + at + ", roles: {a: arn:aws:iam::444455556666:role/a}}\n", ": places[0]: arn:aws:iam::444455556666:role/a is not in account 111122223333"},
		{"places:\n  - {trust_anchor: " + anchorARN + "}\n", ": places[0]: account and region are needed"},
		{"places:\n  -\n", ": places[0]: it is empty"},
		{"places:\n  - {" + at + "}\n  - {" + at + "}\n", ": places[1]: account 111122223333, eu-west-1 is there twice"},
	} {
		if p, err := parsePlaces([]byte(tt.text)); err == nil || err.Error() != tt.want {
			t.Errorf("%q: %+v, %v, want %s", tt.text, p, err, tt.want)
		}
	}
}
