package localca

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kedge/internal/awsadmin"
	"kedge/internal/awsplan"
	"kedge/internal/cadir"
)

// accountWith are the settings of an account with one role.
func accountWith(name string, policies ...string) cadir.AccountSettings {
	return cadir.AccountSettings{Roles: map[string]cadir.RoleSettings{name: {Names: []string{"web-01"}, Policies: policies}}}
}

// TestAWSWanted_policies: each file is a policy of the role. Of two that would have one name none is dropped: both are
// named.
func TestAWSWanted_policies(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	x.found()
	c := x.open()
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:PutObject","Resource":"*"}]}`
	for _, file := range []string{"backup.json", "deny/backup.json", "a b.json", "a-b.json", ".json"} {
		path := x.path(file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(policy), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	plan, err := c.AWSWanted(t.Context(), accountWith("backup", "backup.json", "a b.json"))
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(plan.Wanted.Roles[0].Inline)); !slices.Equal(got, []string{"a-b", "backup"}) {
		t.Error(got)
	}
	for _, files := range [][]string{{"deny/backup.json", "backup.json"}, {"a b.json", x.path("a-b.json")}, {"backup.json", "backup.json"}, {".json"}} {
		_, err := c.AWSWanted(t.Context(), accountWith("backup", files...))
		if err == nil || !strings.Contains(err.Error(), "rename") {
			t.Errorf("%q: %v", files, err)
			continue
		}
		for _, file := range files {
			if !strings.Contains(err.Error(), filepath.Base(filepath.Dir(x.path(file)))+"/"+filepath.Base(file)) {
				t.Errorf("%q: %v", files, err)
			}
		}
	}
}

// TestAWSWanted_characters: a policy has the characters that IAM accepts, and others of its file by their numbers.
func TestAWSWanted_characters(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	x.found()
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/Łódź/\u0142/😀"}]}`
	if err := os.WriteFile(x.path("backup.json"), []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	plan, err := x.open().AWSWanted(t.Context(), accountWith("backup", "backup.json"))
	if err != nil {
		t.Fatal(err)
	}
	got := plan.Wanted.Roles[0].Inline["backup"]
	if !awsplan.SameDocument(got, policy) || strings.ContainsFunc(got, func(r rune) bool { return r > awsplan.MaxDocumentRune }) {
		t.Error(got)
	}
}

// TestAWSWanted_comma: a role gets a tag with its name, and a comma cannot be in it. A role that is made by hand has no
// tag.
func TestAWSWanted_comma(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	x.found()
	c := x.open()
	a := accountWith("back,up")
	if _, err := c.AWSWanted(t.Context(), a); err == nil || !strings.HasPrefix(err.Error(), `the role "back,up" has a comma in its name`) {
		t.Error(err)
	}
	role := a.Roles["back,up"]
	role.FromRoles = []string{"arn:aws:iam::111122223333:role/hub"}
	a.Roles["back,up"] = role
	if plan, err := c.AWSWanted(t.Context(), a); err != nil || len(plan.Wanted.Roles) != 0 {
		t.Errorf("%+v, %v", plan, err)
	}
}

// TestAWSWanted_hosts: the hosts of a role that are kept are those of its trust policy. A pattern of names for which a
// profile stands is in neither: kedge-ca serve could not read it.
func TestAWSWanted_hosts(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	x.found()
	const profiles = "default_profile: web\nprofiles:\n  web: {names: [\"web-*\"], subject: {organizational_unit: web}}\n  batch: {names: [\"batch-*\"], subject: {organizational_unit: batch}}\n"
	plan, err := x.withSettings(profiles).AWSWanted(t.Context(), cadir.AccountSettings{Roles: map[string]cadir.RoleSettings{"web": {Names: []string{"web-*"}}}})
	if err != nil {
		t.Fatal(err)
	}
	hosts := plan.Hosts["web"]
	if _, err := awsadmin.NewSelector(awsadmin.Hosts{Names: hosts.Names, URIs: hosts.SANURIs, Units: hosts.Units, Issuers: hosts.Issuers}); err != nil || len(hosts.Names) != 0 || !slices.Equal(hosts.Units, []string{"web"}) {
		t.Errorf("%+v, %v", hosts, err)
	}
	if role := plan.Roles["web"]; !slices.Equal(role.Names, []string{"web-*"}) { // by which a probe gets its name
		t.Errorf("%+v", role)
	}
}
