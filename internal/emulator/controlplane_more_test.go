package emulator

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	ra "github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"
)

// The operations on CRLs, tags and subjects of TestControlPlane_sdk.

func (w *controlWorld) sdkCRLs(t *testing.T) {
	c, ctx := w.admin(), t.Context()
	template := leafTemplate()
	template.SerialNumber = serial(77)
	leaf := w.root.issue(t, template)
	made, err := c.ImportCrl(ctx, &ra.ImportCrlInput{Name: aws.String("list"), TrustAnchorArn: aws.String(w.TrustAnchorARN()), CrlData: crlPEM(newCRL(t, w.root, serial(77)))})
	if err != nil {
		t.Fatal(err)
	}
	id := made.Crl.CrlId
	w.session(t, w.TrustAnchorARN(), w.ProfileARN(), leaf).created(t) // not enabled yet
	refused := func(want bool) {
		t.Helper()
		if got := w.session(t, w.TrustAnchorARN(), w.ProfileARN(), leaf).String(); (got == revokedAnswer) != want {
			t.Errorf("answer %s", got)
		}
	}
	if _, err := c.EnableCrl(ctx, &ra.EnableCrlInput{CrlId: id}); err != nil {
		t.Error(err)
	}
	refused(true)
	updated, err := c.UpdateCrl(ctx, &ra.UpdateCrlInput{CrlId: id, CrlData: newCRL(t, w.root, serial(5)), AliasName: aws.String("list")})
	if err != nil || aws.ToString(updated.Crl.Name) != "list" || !aws.ToBool(updated.Crl.Enabled) {
		t.Errorf("%v, %+v", err, updated)
	}
	refused(false)
	if _, err := c.UpdateCrl(ctx, &ra.UpdateCrlInput{CrlId: id, CrlData: newCRL(t, w.root, serial(77))}); err != nil {
		t.Error(err)
	}
	refused(true)
	if _, err := c.DisableCrl(ctx, &ra.DisableCrlInput{CrlId: id}); err != nil {
		t.Error(err)
	}
	refused(false)
	if got, err := c.GetCrl(ctx, &ra.GetCrlInput{CrlId: aws.String("arn:aws:rolesanywhere:us-east-1:111122223333:alias/crl/list")}); err != nil || aws.ToString(got.Crl.CrlId) != *id {
		t.Errorf("%v, %+v", err, got)
	}
	if all, err := c.ListCrls(ctx, nil); err != nil || len(all.Crls) != 1 {
		t.Errorf("%v, %+v", err, all)
	}
	if _, err := c.DeleteCrl(ctx, &ra.DeleteCrlInput{CrlId: id}); err != nil {
		t.Error(err)
	}
}

func (w *controlWorld) sdkTags(t *testing.T) {
	c, ctx := w.admin(), t.Context()
	arn := aws.String(w.ProfileARN())
	tag := func(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }
	for _, tags := range [][]types.Tag{{tag("team", "web"), tag("env", "")}, {tag("team", "batch")}} {
		if _, err := c.TagResource(ctx, &ra.TagResourceInput{ResourceArn: arn, Tags: tags}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.UntagResource(ctx, &ra.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"env", "none"}}); err != nil {
		t.Fatal(err)
	}
	got, err := c.ListTagsForResource(ctx, &ra.ListTagsForResourceInput{ResourceArn: arn})
	if err != nil || len(got.Tags) != 1 || aws.ToString(got.Tags[0].Key) != "team" || aws.ToString(got.Tags[0].Value) != "batch" {
		t.Errorf("%v, %+v", err, got)
	}
}

func (w *controlWorld) sdkSubjects(t *testing.T) {
	c, ctx := w.admin(), t.Context()
	template := leafTemplate()
	template.SerialNumber = serial(99)
	arn := w.session(t, w.TrustAnchorARN(), w.ProfileARN(), w.root.issue(t, template)).created(t).SubjectArn
	all, err := c.ListSubjects(ctx, nil)
	if err != nil || len(all.Subjects) != 1 || aws.ToString(all.Subjects[0].SubjectArn) != arn {
		t.Fatalf("%v, %+v", err, all)
	}
	got, err := c.GetSubject(ctx, &ra.GetSubjectInput{SubjectId: all.Subjects[0].SubjectId})
	if err != nil {
		t.Fatal(err)
	}
	s := got.Subject
	last := s.Credentials[len(s.Credentials)-1]
	if aws.ToString(s.X509Subject) != "CN=web-1,O=Example" || !aws.ToBool(s.Enabled) || aws.ToString(last.SerialNumber) != "99" || aws.ToString(last.Issuer) != "CN=Root" || !strings.HasPrefix(aws.ToString(last.X509CertificateData), "-----BEGIN CERTIFICATE-----") {
		t.Errorf("%+v", s)
	}
}
