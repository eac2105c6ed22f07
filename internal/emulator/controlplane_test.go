package emulator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	ra "github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"
	"github.com/aws/smithy-go"

	"kedge/internal/emulator/rolesanywhere"
)

// TestControlPlane_sdk performs every operation with the SDK's client, and lets a host have sessions
// with what it made.
func TestControlPlane_sdk(t *testing.T) {
	t.Parallel()
	w := newControlWorld(t)
	t.Run("trust anchors", w.sdkTrustAnchors)
	t.Run("profiles", w.sdkProfiles)
	t.Run("CRLs", w.sdkCRLs)
	t.Run("tags", w.sdkTags)
	t.Run("subjects", w.sdkSubjects)
	done := map[string]bool{}
	for _, call := range w.Calls() {
		if call.Status < 300 {
			done[call.Operation] = true
		}
	}
	for _, op := range rolesanywhere.Operations() {
		if !done[op.Name] {
			t.Errorf("%s was not performed", op.Name)
		}
	}
	if n := len(rolesanywhere.Operations()); n != 30 {
		t.Errorf("%d operations, not 30", n)
	}
}

// errorOf returns the code and the message of an SDK's error.
func errorOf(err error) string {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return fmt.Sprint(err)
	}
	return api.ErrorCode() + ": " + api.ErrorMessage()
}

func (w *controlWorld) sdkTrustAnchors(t *testing.T) {
	c, ctx := w.admin(), t.Context()
	made, err := c.CreateTrustAnchor(ctx, &ra.CreateTrustAnchorInput{
		Name: aws.String("first"), Source: bundle(w.root), AliasName: aws.String("team/ca"),
		NotificationSettings: []types.NotificationSetting{{Event: types.NotificationEventCaCertificateExpiry, Enabled: aws.Bool(false), Threshold: aws.Int32(7)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	a := made.TrustAnchor
	if aws.ToBool(a.Enabled) || aws.ToString(a.Name) != "first" || a.CreatedAt == nil || !a.CreatedAt.Equal(testNow) {
		t.Errorf("%+v", a)
	}
	leaf := w.root.issue(t, leafTemplate())
	if got := w.session(t, *a.TrustAnchorArn, w.ProfileARN(), leaf).String(); got != noAnchor {
		t.Errorf("a disabled trust anchor: %s", got)
	}
	const alias = "arn:aws:rolesanywhere:us-east-1:111122223333:alias/trust-anchor/team/ca"
	for _, id := range []string{*a.TrustAnchorId, *a.TrustAnchorArn, alias} {
		if _, err := c.EnableTrustAnchor(ctx, &ra.EnableTrustAnchorInput{TrustAnchorId: &id}); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		got, err := c.GetTrustAnchor(ctx, &ra.GetTrustAnchorInput{TrustAnchorId: &id})
		if err != nil || !aws.ToBool(got.TrustAnchor.Enabled) || aws.ToString(got.TrustAnchor.TrustAnchorArn) != *a.TrustAnchorArn {
			t.Errorf("%s: %v, %+v", id, err, got)
		}
		w.session(t, *a.TrustAnchorArn, w.ProfileARN(), leaf).created(t)
		w.session(t, alias, w.ProfileARN(), leaf).created(t)
		if _, err := c.DisableTrustAnchor(ctx, &ra.DisableTrustAnchorInput{TrustAnchorId: &id}); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	w.sdkNotifications(t, a)
	again, err := c.CreateTrustAnchor(ctx, &ra.CreateTrustAnchorInput{Name: aws.String("first"), Source: bundle(w.root), Enabled: aws.Bool(true)})
	if err != nil || aws.ToString(again.TrustAnchor.TrustAnchorArn) == *a.TrustAnchorArn {
		t.Errorf("sent again, the request makes a second one: %v, %+v", err, again)
	}
	updated, err := c.UpdateTrustAnchor(ctx, &ra.UpdateTrustAnchorInput{TrustAnchorId: a.TrustAnchorId, AliasName: aws.String(""), Source: bundle(newRoot(t, caTemplate("Other")))})
	if err != nil || aws.ToString(updated.TrustAnchor.Name) != "first" || updated.TrustAnchor.AliasName != nil || aws.ToString(updated.TrustAnchor.PreviousAliasName) != "team/ca" {
		t.Errorf("%v, %+v", err, updated)
	}
	if _, err := c.GetTrustAnchor(ctx, &ra.GetTrustAnchorInput{TrustAnchorId: aws.String(alias)}); !strings.HasPrefix(errorOf(err), "ResourceNotFoundException: ") {
		t.Errorf("an alias that was removed: %v", err)
	}
	all := w.listAnchors(t, 1)
	if len(all) != 3 || !slices.Contains(all, *a.TrustAnchorArn) {
		t.Errorf("listed: %q", all)
	}
	gone, err := c.DeleteTrustAnchor(ctx, &ra.DeleteTrustAnchorInput{TrustAnchorId: a.TrustAnchorId})
	if err != nil || aws.ToString(gone.TrustAnchor.TrustAnchorArn) != *a.TrustAnchorArn {
		t.Errorf("%v, %+v", err, gone)
	}
	if _, err := c.GetTrustAnchor(ctx, &ra.GetTrustAnchorInput{TrustAnchorId: a.TrustAnchorId}); !strings.HasPrefix(errorOf(err), "ResourceNotFoundException: ") {
		t.Errorf("deleted: %v", err)
	}
}

// listAnchors lists all trust anchors, some a page.
func (w *controlWorld) listAnchors(t *testing.T, pageSize int32) (names []string) {
	t.Helper()
	pages := ra.NewListTrustAnchorsPaginator(w.admin(), &ra.ListTrustAnchorsInput{PageSize: &pageSize})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(page.TrustAnchors) > int(pageSize) {
			t.Errorf("%d on a page of %d", len(page.TrustAnchors), pageSize)
		}
		for _, a := range page.TrustAnchors {
			names = append(names, aws.ToString(a.TrustAnchorArn))
		}
	}
	return names
}

func (w *controlWorld) sdkNotifications(t *testing.T, a *types.TrustAnchorDetail) {
	t.Helper()
	c := w.admin()
	check := func(all []types.NotificationSettingDetail, want ...string) {
		t.Helper()
		var got []string
		for _, n := range all {
			got = append(got, fmt.Sprintf("%s %t %d %s %s", n.Event, aws.ToBool(n.Enabled), aws.ToInt32(n.Threshold), n.Channel, aws.ToString(n.ConfiguredBy)))
		}
		if !slices.Equal(got, want) {
			t.Errorf("notification settings %q, want %q", got, want)
		}
	}
	const ca, leaf = "CA_CERTIFICATE_EXPIRY", "END_ENTITY_CERTIFICATE_EXPIRY"
	const service = " true 45 ALL rolesanywhere.amazonaws.com"
	check(a.NotificationSettings, ca+" false 7 ALL 111122223333", leaf+service)
	put, err := c.PutNotificationSettings(t.Context(), &ra.PutNotificationSettingsInput{
		TrustAnchorId: a.TrustAnchorId, NotificationSettings: []types.NotificationSetting{{Event: leaf, Enabled: aws.Bool(true), Threshold: aws.Int32(360), Channel: types.NotificationChannelAll}},
	})
	if err != nil {
		t.Fatal(err)
	}
	check(put.TrustAnchor.NotificationSettings, ca+" false 7 ALL 111122223333", leaf+" true 360 ALL 111122223333")
	reset, err := c.ResetNotificationSettings(t.Context(), &ra.ResetNotificationSettingsInput{
		TrustAnchorId: a.TrustAnchorId, NotificationSettingKeys: []types.NotificationSettingKey{{Event: ca}},
	})
	if err != nil {
		t.Fatal(err)
	}
	check(reset.TrustAnchor.NotificationSettings, ca+service, leaf+" true 360 ALL 111122223333")
}

func (w *controlWorld) sdkProfiles(t *testing.T) {
	c, ctx := w.admin(), t.Context()
	made, err := c.CreateProfile(ctx, &ra.CreateProfileInput{
		Name: aws.String("web"), RoleArns: []string{}, AliasName: aws.String("web"), RequireInstanceProperties: aws.Bool(true),
		SessionPolicy: aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	p := made.Profile
	if aws.ToBool(p.Enabled) || aws.ToInt32(p.DurationSeconds) != 3600 || aws.ToString(p.CreatedBy) != w.Administrator().ARN || !aws.ToBool(p.RequireInstanceProperties) {
		t.Errorf("%+v", p)
	}
	leaf := w.root.issue(t, leafTemplate())
	if got := w.session(t, w.TrustAnchorARN(), *p.ProfileArn, leaf).String(); got != noProfile {
		t.Errorf("a disabled profile: %s", got)
	}
	const alias = "arn:aws:rolesanywhere:us-east-1:111122223333:alias/profile/web"
	if _, err := c.EnableProfile(ctx, &ra.EnableProfileInput{ProfileId: aws.String(alias)}); err != nil {
		t.Fatal(err)
	}
	if got := w.session(t, w.TrustAnchorARN(), *p.ProfileArn, leaf).String(); !strings.HasSuffix(got, textRoleList) {
		t.Errorf("a profile without roles: %s", got)
	}
	updated, err := c.UpdateProfile(ctx, &ra.UpdateProfileInput{ProfileId: p.ProfileId, RoleArns: []string{w.RoleARN()}, DurationSeconds: aws.Int32(900)})
	if err != nil || aws.ToInt32(updated.Profile.DurationSeconds) != 900 || aws.ToString(updated.Profile.Name) != "web" || !aws.ToBool(updated.Profile.Enabled) {
		t.Fatalf("%v, %+v", err, updated)
	}
	set := w.session(t, w.TrustAnchorARN(), alias, leaf).created(t).CredentialSet[0]
	if got := set.Credentials.Expiration.Sub(testNow); got.Seconds() != 900 {
		t.Errorf("the session lasts %s", got)
	}
	if got, err := c.GetProfile(ctx, &ra.GetProfileInput{ProfileId: p.ProfileArn}); err != nil || !slices.Equal(got.Profile.RoleArns, []string{w.RoleARN()}) {
		t.Errorf("%v, %+v", err, got)
	}
	w.sdkMappings(t, *p.ProfileId)
	if _, err := c.DisableProfile(ctx, &ra.DisableProfileInput{ProfileId: p.ProfileId}); err != nil {
		t.Error(err)
	}
	if all, err := c.ListProfiles(ctx, nil); err != nil || len(all.Profiles) != 2 || all.NextToken != nil {
		t.Errorf("%v, %+v", err, all)
	}
	if _, err := c.DeleteProfile(ctx, &ra.DeleteProfileInput{ProfileId: p.ProfileId}); err != nil {
		t.Error(err)
	}
	if got := w.session(t, w.TrustAnchorARN(), *p.ProfileArn, leaf).String(); got != noProfile {
		t.Errorf("a deleted profile: %s", got)
	}
}

// mappingText is a profile's mappings in short.
func mappingText(p *types.ProfileDetail) string {
	var parts []string
	for _, m := range p.AttributeMappings {
		var rules []string
		for _, r := range m.MappingRules {
			rules = append(rules, aws.ToString(r.Specifier))
		}
		parts = append(parts, string(m.CertificateField)+"="+strings.Join(rules, ","))
	}
	return strings.Join(parts, " ")
}

func (w *controlWorld) sdkMappings(t *testing.T, id string) {
	t.Helper()
	c, ctx := w.admin(), t.Context()
	rules := func(specifiers ...string) (all []types.MappingRule) {
		for _, s := range specifiers {
			all = append(all, types.MappingRule{Specifier: aws.String(s)})
		}
		return all
	}
	put := func(field types.CertificateField, specifiers ...string) string {
		out, err := c.PutAttributeMapping(ctx, &ra.PutAttributeMappingInput{ProfileId: &id, CertificateField: field, MappingRules: rules(specifiers...)})
		if err != nil {
			return errorOf(err)
		}
		return mappingText(out.Profile)
	}
	remove := func(field types.CertificateField, specifiers ...string) string {
		out, err := c.DeleteAttributeMapping(ctx, &ra.DeleteAttributeMappingInput{ProfileId: &id, CertificateField: field, Specifiers: specifiers})
		if err != nil {
			return errorOf(err)
		}
		return mappingText(out.Profile)
	}
	for i, step := range []struct{ got, want string }{
		{put("x509Subject", "CN"), "x509Issuer=* x509SAN=DNS,URI,Name/* x509Subject=CN"},
		{put("x509Subject", "OU", "CN", "1.2.3.4"), "x509Issuer=* x509SAN=DNS,URI,Name/* x509Subject=CN,OU,1.2.3.4"},
		{remove("x509Subject", "OU", "ST"), "x509Issuer=* x509SAN=DNS,URI,Name/* x509Subject=CN,1.2.3.4"},
		{remove("x509Issuer"), "x509SAN=DNS,URI,Name/* x509Subject=CN,1.2.3.4"},
		{remove("x509SAN", "Name", "URI"), "x509SAN=DNS x509Subject=CN,1.2.3.4"},
		{put("x509SAN", "Name/"), "x509SAN=DNS,Name/* x509Subject=CN,1.2.3.4"},
	} {
		if step.got != step.want {
			t.Errorf("step %d: %s, want %s", i+1, step.got, step.want)
		}
	}
	if got := put("x509SAN", "CN"); !strings.HasPrefix(got, "ValidationException: ") {
		t.Errorf("a specifier of another field: %s", got)
	}
}
