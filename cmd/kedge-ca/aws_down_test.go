package main

import "testing"

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
