package emulator

import (
	"bytes"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	ra "github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/internal/testenv"
)

// TestTerraform: terraform makes, changes in place and destroys a trust anchor, a profile, and a role with its
// policies.
func TestTerraform(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	ca := bytes.TrimSpace(newRoot(t, caTemplate("hosts")).pem())
	tf := testenv.NewTerraform(t, filepath.Join("testdata", "hosts.tf"), append(w.environment(t), "TF_VAR_url="+w.url, "TF_VAR_ca="+string(ca)))
	tf.Run("test", "init", "-input=false", "-no-color")
	tf.Apply("test")
	made := w.managed(t)
	tf.Apply("prod")
	changed := w.managed(t)
	tf.Run("prod", "destroy", "-auto-approve", "-input=false", "-no-color")

	if want := (managedByTerraform{
		anchor: "hosts-test", anchorEnabled: true, profile: "web-test", profileEnabled: true,
		profileDuration: 15 * time.Minute, roleDuration: time.Hour, anchorID: made.anchorID,
	}); made != want {
		t.Errorf("made %+v, want %+v", made, want)
	}
	if want := (managedByTerraform{
		anchor: "hosts-prod", profile: "web-prod", profileDuration: 30 * time.Minute, roleDuration: 2 * time.Hour, anchorID: made.anchorID,
	}); changed != want {
		t.Errorf("changed to %+v, want %+v", changed, want)
	}
	if left := w.managed(t); left != (managedByTerraform{}) {
		t.Errorf("left %+v", left)
	}
}

// managedByTerraform is what the emulator has beside what it started with.
type managedByTerraform struct {
	anchor, anchorID, profile     string // the names, and an ID
	anchorEnabled, profileEnabled bool
	profileDuration, roleDuration time.Duration // zero: there is none
}

func (w *stsWorld) managed(t *testing.T) managedByTerraform {
	t.Helper()
	u := w.Administrator()
	c := ra.New(ra.Options{
		Region: "us-east-1", BaseEndpoint: &w.url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(u.AccessKeyID, u.SecretAccessKey, ""),
	})
	anchors, err := c.ListTrustAnchors(t.Context(), &ra.ListTrustAnchorsInput{})
	if err != nil {
		t.Fatal(err)
	}
	profiles, err := c.ListProfiles(t.Context(), &ra.ListProfilesInput{})
	if err != nil {
		t.Fatal(err)
	}
	var m managedByTerraform
	for _, a := range anchors.TrustAnchors {
		if *a.TrustAnchorArn != w.TrustAnchorARN() {
			m.anchor, m.anchorID, m.anchorEnabled = *a.Name, *a.TrustAnchorId, *a.Enabled
		}
	}
	for _, p := range profiles.Profiles {
		if *p.ProfileArn != w.ProfileARN() {
			m.profile, m.profileEnabled, m.profileDuration = *p.Name, *p.Enabled, time.Duration(*p.DurationSeconds)*time.Second
		}
	}
	if role := w.iam.Role("arn:aws:iam::111122223333:role/hosts/web"); role != nil {
		m.roleDuration = role.MaxSessionDuration()
	}
	return m
}
