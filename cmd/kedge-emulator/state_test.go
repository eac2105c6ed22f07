package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"
)

// TestState_alone: with a state folder it starts without a trust anchor; the first one that a call makes is in the
// environment of the next start.
func TestState_alone(t *testing.T) {
	t.Parallel()
	const note = "kedge-emulator: note: there is no trust anchor yet: hosts get sessions once CreateTrustAnchor has made one\n"
	dir := t.TempDir()
	r := start(t, "--state", dir, "--region", "eu-central-1")
	if arn, ok := r.env["KEDGE_TRUST_ANCHOR_ARN"]; ok || r.env["AWS_REGION"] != "eu-central-1" || r.env["KEDGE_ROLE_ARN"] == "" {
		t.Errorf("trust anchor %q, region %q", arn, r.env["AWS_REGION"])
	}
	c := rolesanywhere.New(rolesanywhere.Options{
		Region: r.env["AWS_REGION"], BaseEndpoint: aws.String(r.env["KEDGE_ENDPOINT"]),
		Credentials: credentials.NewStaticCredentialsProvider(r.env["KEDGE_ADMIN_ACCESS_KEY_ID"], r.env["KEDGE_ADMIN_SECRET_ACCESS_KEY"], ""),
	})
	var first string
	for _, name := range []string{"first", "second"} {
		made, err := c.CreateTrustAnchor(t.Context(), &rolesanywhere.CreateTrustAnchorInput{Name: &name, Enabled: aws.Bool(true), Source: &types.Source{
			SourceType: types.TrustAnchorTypeCertificateBundle, SourceData: &types.SourceDataMemberX509CertificateData{Value: string(certificate(t, true))},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = *made.TrustAnchor.TrustAnchorArn
		}
	}
	r.stop()
	if !strings.Contains(r.stderr.String(), note) {
		t.Errorf("%s", r.stderr)
	}
	r = start(t, "--state", dir)
	if r.env["KEDGE_TRUST_ANCHOR_ARN"] != first || r.env["AWS_REGION"] != "eu-central-1" {
		t.Errorf("after a restart: %v, want %s", r.env, first)
	}
	r.stop()
	if strings.Contains(r.stderr.String(), note) {
		t.Errorf("%s", r.stderr)
	}
}
