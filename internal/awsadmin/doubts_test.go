package awsadmin

import (
	"slices"
	"strings"
	"testing"

	"kedge/ca"
)

// TestHosts_doubts_name: a common name that the templates of the profiles cannot give is doubtful.
func TestHosts_doubts_name(t *testing.T) {
	t.Parallel()
	profiles := map[string]ca.ProfileConfig{
		"web": {Subject: ca.SubjectConfig{CommonName: "{name}.example.com"}},
		"db":  {Subject: ca.SubjectConfig{CommonName: "db"}},
	}
	for name, doubtful := range map[string]bool{
		"web-01": true, "web-01.example.com": false, ".example.com": true, "db": false, "d**": false,
		"web-**": false, "**.example.com": false, "**.com": false, "**.example.org": true, "web-**-01": true,
	} {
		notes := Hosts{Names: []string{name}}.doubts(profiles)
		if got := strings.Contains(notes.String(), "the common name "+name+": the common_name of profiles is db, {name}.example.com"); got != doubtful || got != (len(notes) > 0) {
			t.Errorf("%s: %s", name, notes)
		}
	}
}

// TestGivingUnit: patterns of units are compared as names are, with what a template can give.
func TestGivingUnit(t *testing.T) {
	t.Parallel()
	unit := func(template string) ca.ProfileConfig {
		return ca.ProfileConfig{Subject: ca.SubjectConfig{OrganizationalUnit: template}}
	}
	profiles := map[string]ca.ProfileConfig{"backup": unit("backup"), "batch": unit("batch"), "none": unit(""), "jobs": unit("job-{name}-{name}")}
	for pattern, want := range map[string][]string{
		"ba**": {"backup", "batch"}, "batch": {"batch"}, "b": nil, "job-a-a": {"jobs"}, "job-": nil, "**": {"backup", "batch", "jobs"},
	} {
		if got := givingUnit(pattern, profiles); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", pattern, got, want)
		}
	}
}
