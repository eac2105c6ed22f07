package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/internal/awsaccount"
	"kedge/internal/cli"
)

// TestAWSRotate_disabled: a trust anchor that somebody has disabled stays so in aws rotate, and in aws up until a
// person agrees.
func TestAWSRotate_disabled(t *testing.T) {
	t.Parallel()
	x, a := newRehearsalAt(t, nil)
	x.describe(backupRoles)
	x.run("aws", "up", "--yes")
	account := a.open(t)
	anchors, err := awsaccount.Call(t.Context(), account, account.RolesAnywhere.ListTrustAnchors, &rolesanywhere.ListTrustAnchorsInput{})
	if err != nil || len(anchors.TrustAnchors) != 1 {
		t.Fatalf("%v: %v", anchors, err)
	}
	arn := *anchors.TrustAnchors[0].TrustAnchorArn
	if _, err := awsaccount.Call(t.Context(), account, account.RolesAnywhere.DisableTrustAnchor, &rolesanywhere.DisableTrustAnchorInput{TrustAnchorId: &arn}); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := x.try("aws", "rotate", "--yes"); code != cli.ExitDone || !strings.Contains(stderr, "note: "+arn+", kedge, is disabled, and stays so") || !strings.Contains(stderr, "nothing to do") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	x.refuses("somebody has disabled "+arn, "aws", "up", "--yes")
	for _, call := range a.Calls() {
		if call.Operation == "EnableTrustAnchor" {
			t.Error("it was enabled")
		}
	}
	x.confirm = func(string) (bool, error) { return true, nil }
	x.run("aws", "up")
	x.run("aws", "status", "--check")
}
