package awsadmin

import (
	"reflect"
	"strings"
	"testing"

	"kedge/ca"
)

// TestHosts_Fixed: only what one profile gives to all of its certificates, and no other profile to any, is
// taken in the place of names.
func TestHosts_Fixed(t *testing.T) {
	t.Parallel()
	batch := func(unit string, uris ...string) ca.ProfileConfig {
		return ca.ProfileConfig{Names: []string{"batch-*"}, Subject: ca.SubjectConfig{OrganizationalUnit: unit}, SAN: ca.SANConfig{URI: uris}}
	}
	other := func(unit string, uris ...string) ca.ProfileConfig {
		return ca.ProfileConfig{Names: []string{"web-*"}, Subject: ca.SubjectConfig{OrganizationalUnit: unit}, SAN: ca.SANConfig{URI: uris}}
	}
	unit := Hosts{Units: []string{"batch"}}
	uri := Hosts{URIs: []string{"spiffe://ex.com/batch/**"}}
	for _, tt := range []struct {
		name         string
		batch, other ca.ProfileConfig
		want         Hosts // zero: none
	}{
		{"unit", batch("batch"), other("web"), unit},
		{"unit before URI", batch("batch", "spiffe://ex.com/batch/*"), other("web"), unit},
		{"the other has the unit", batch("batch"), other("batch"), Hosts{}},
		{"the other can have the unit", batch("batch"), other("{name}"), Hosts{}},
		{"the unit depends on the name", batch("{name}"), other("web"), Hosts{}},
		{"URI", batch("", "spiffe://ex.com/batch/*"), other("", "spiffe://ex.com/web/*"), uri},
		{"URI, where the unit is shared", batch("batch", "spiffe://ex.com/batch/**"), other("batch"), uri},
		{"the other allows the URI", batch("", "spiffe://ex.com/batch/*"), other("", "spiffe://ex.com/**"), Hosts{}},
		{"the other allows one below", batch("", "spiffe://ex.com/batch/*"), other("", "spiffe://ex.com/batch/a/b"), Hosts{}},
		{"the whole domain", batch("", "spiffe://ex.com/**"), other(""), Hosts{}},
		{"any domain", batch("", "spiffe://**"), other(""), Hosts{}},
		{"no whole segment", batch("", "spiffe://ex.com/jobs/batch-*"), other(""), Hosts{}},
		{"two URIs", batch("", "spiffe://ex.com/batch/*", "spiffe://ex.com/b/*"), other(""), Hosts{}},
		{"nothing", batch(""), other(""), Hosts{}},
	} {
		fixed := Hosts{Names: []string{"batch-*"}}.Fixed(map[string]ca.ProfileConfig{"batch": tt.batch, "web": tt.other})
		got := Hosts{}
		if fixed != nil {
			got = fixed.Hosts
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// TestHosts_Fixed_names: nothing stands for names that are listed, or that a profile has beside others.
func TestHosts_Fixed_names(t *testing.T) {
	t.Parallel()
	profile := ca.ProfileConfig{Names: []string{"batch-*", "cron"}, Subject: ca.SubjectConfig{OrganizationalUnit: "batch"}}
	for _, hosts := range []Hosts{
		{Names: []string{"batch-*"}},
		{Names: []string{"cron"}},
		{Names: []string{"batch-*", "cron"}},
	} {
		if fixed := hosts.Fixed(map[string]ca.ProfileConfig{"batch": profile}); fixed != nil {
			t.Errorf("%+v: %+v", hosts, fixed)
		}
	}
	profile.Names = []string{"cron"}
	if fixed := (Hosts{Names: []string{"cron"}}).Fixed(map[string]ca.ProfileConfig{"cron": profile}); fixed != nil {
		t.Errorf("%+v", fixed)
	}
}

// TestTrust_Narrow: the issuer stays, and what is done or doubtful is said.
func TestTrust_Narrow(t *testing.T) {
	t.Parallel()
	profiles := map[string]ca.ProfileConfig{
		"batch": {Names: []string{"batch-*"}, Subject: ca.SubjectConfig{OrganizationalUnit: "batch"}},
		"web":   {Names: []string{"web-*"}, SAN: ca.SANConfig{URI: []string{"spiffe://ex.com/web/*"}}},
		"a":     {Subject: ca.SubjectConfig{OrganizationalUnit: "shared"}},
		"b":     {Subject: ca.SubjectConfig{OrganizationalUnit: "shared"}, SAN: ca.SANConfig{URI: []string{"spiffe://ex.com/b"}}},
	}
	for _, tt := range []struct {
		hosts, want Hosts
		note        string
	}{
		{Hosts{Names: []string{"batch-*"}, Issuers: []string{"CA"}}, Hosts{Units: []string{"batch"}, Issuers: []string{"CA"}}, `done: profile "batch" gives OU=batch to each certificate for batch-*`},
		{Hosts{Names: []string{"web-*"}}, Hosts{URIs: []string{"spiffe://ex.com/web/**"}}, `done: profile "web" alone allows URIs spiffe://ex.com/web/**`},
		{Hosts{Units: []string{"shared"}}, Hosts{Units: []string{"shared"}}, "warning: OU=shared is given by several profiles, a, b"},
		{Hosts{Units: []string{"none"}}, Hosts{Units: []string{"none"}}, "warning: no profile in the configuration gives OU=none"},
		{Hosts{Names: []string{"web-01"}}, Hosts{Names: []string{"web-01"}}, ""},
		{Hosts{Units: []string{"sha**"}}, Hosts{Units: []string{"sha**"}}, "warning: OU=sha** is given by several profiles, a, b"},
		{Hosts{Units: []string{"ba**"}}, Hosts{Units: []string{"ba**"}}, ""},
		{Hosts{URIs: []string{"spiffe://ex.com/web/a"}}, Hosts{URIs: []string{"spiffe://ex.com/web/a"}}, ""},
		{Hosts{URIs: []string{"spiffe://ex.com/**"}}, Hosts{URIs: []string{"spiffe://ex.com/**"}}, "warning: the URI spiffe://ex.com/** is allowed by several profiles, b, web: "},
		{Hosts{URIs: []string{"spiffe://ex.com/none"}}, Hosts{URIs: []string{"spiffe://ex.com/none"}}, "warning: no profile in the configuration allows the URI spiffe://ex.com/none"},
	} {
		got, notes := Trust{Hosts: tt.hosts}.Narrow(profiles)
		if !reflect.DeepEqual(got.Hosts, tt.want) || !strings.HasPrefix(notes.String(), tt.note) || tt.note == "" && len(notes) > 0 {
			t.Errorf("%+v: %+v, %s", tt.hosts, got.Hosts, notes)
		}
	}
	_, notes := Trust{Hosts: Hosts{Names: []string{"web-01"}}, Hubs: []string{hubARN}}.Narrow(profiles)
	if !strings.HasPrefix(notes.String(), "next: check the trust policy of "+hubARN+": it must let in hosts of this CA alone") {
		t.Errorf("%s", notes)
	}
}
