package main

import (
	"os"
	"testing"
)

// TestAWSDown_list: a trust anchor that was registered by hand stays, and its list, so that a revoked host gets no
// sessions again.
func TestAWSDown_list(t *testing.T) {
	t.Parallel()
	x := newPushCA(t, pushing)
	x.does("", "revoke", "web-01")
	x.does("imported", "crl")
	x.refused("after crl", "Certificate revoked", "hosts", "web-01")
	x.does("stays, since its trust anchor stays, "+x.service.TrustAnchorARN(), "aws", "down", "--yes", "--region", "us-east-1")
	x.refused("after aws down", "Certificate revoked", "hosts", "web-01")
	x.accepted("after aws down", "hosts", "web-02")
}

// TestAWSDown_unfinished: what the configuration describes is aws up's, also if aws up did not come to the end.
func TestAWSDown_unfinished(t *testing.T) {
	t.Parallel()
	x, _ := newRehearsalAt(t, nil)
	x.describe(backupRoles)
	x.run("aws", "up", "--yes")
	if err := os.Remove(x.path("ca/aws.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(x.path("ca/backup.json"), x.path("ca/gone.json")); err != nil {
		t.Fatal(err)
	}
	x.refuses("neither aws.yaml nor the configuration of this CA names: arn:aws:iam::111122223333:role/hosts/backup has the policy backup", "aws", "down", "--yes")
	x.describe(backupRoles)
	x.run("aws", "down", "--yes")
}
