package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/internal/cli"
)

const pushing = "aws: {crl: {push: true}}\n"

func numberOf(t *testing.T, data []byte) int64 {
	t.Helper()
	block, _ := pem.Decode(data)
	if block == nil {
		t.Fatalf("AWS has no PEM: %q", data)
	}
	list, err := x509.ParseRevocationList(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return list.Number.Int64()
}

// TestAWSCRLPush_revoked: with push configured, a revoked host is refused after one crl. A push that fails fails neither
// the list nor the revocation; it is said, and done by the next one.
func TestAWSCRLPush_revoked(t *testing.T) {
	t.Parallel()
	x := newPushCA(t, pushing)
	x.accepted("at first", "hosts", "web-01", "web-02")
	x.does("done: imported list 1 of \"ca\", with 0 revoked, as arn:aws:rolesanywhere:us-east-1:111122223333:crl/", "crl")
	x.does("make it with kedge-ca crl", "revoke", "web-01")
	x.accepted("before crl", "hosts", "web-01")
	x.does("done: replaced list 1 by list 2 of \"ca\", with 1 revoked, in ", "crl")
	x.refused("after crl", "Certificate revoked", "hosts", "web-01")
	x.accepted("after crl", "hosts", "web-02")
	x.does("", "status", "--check")

	x.does("", "revoke", "web-02")
	right := x.operator
	x.operator.SecretAccessKey = "wrong"
	x.does("warning: push the list of \"ca\" to account "+hubAccount+", us-east-1: AWS does not accept the credentials", "crl")
	x.operator = right
	x.accepted("after a push that failed", "hosts", "web-02")
	x.fails(cli.ExitFailed, []string{"the last push of the list of ca to account " + hubAccount + ", us-east-1 failed at ", ": kedge-ca aws crl push --issuer ca"}, "status", "--check")
	x.does("done: replaced list 2 by list 3 of \"ca\", with 2 revoked, in ", "aws", "crl", "push")
	x.refused("after the next push", "Certificate revoked", "hosts", "web-01", "web-02")
	x.does("", "status", "--check")
	x.does(" has list 3 of \"ca\", with 2 revoked already", "aws", "crl", "push")

	x.does("", "issue", "web-03", "--out", x.path("hosts"))
	x.does("", "revoke", "web-03")
	x.fails(cli.ExitFailed, []string{" has list 3 of \"ca\", with 2 revoked already", "error: the list of \"ca\" that was pushed is behind the ledger by 1", "hint: make a list that has them"}, "aws", "crl", "push", "--issuer", "ca")
}

// TestAWSCRLPush_restored: a ledger that was restored from an older backup is behind the list at AWS, which stays until
// the ledger has taken it in; the revoked host is refused all the time.
func TestAWSCRLPush_restored(t *testing.T) {
	t.Parallel()
	x := newPushCA(t, pushing)
	x.does("imported", "crl")
	x.does("", "ledger", "backup", "copy.db")
	x.does("", "revoke", "web-01")
	x.does("replaced", "crl")
	for _, file := range []string{"ca/ledger.db", "ca/crl/ca.der", "ca/crl/ca.crl"} {
		if err := os.Remove(x.path(file)); err != nil {
			t.Fatal(err)
		}
	}
	x.does("", "ledger", "restore", "copy.db", "--yes")
	behind := []string{`error: push the list of "ca" to account ` + hubAccount + `, us-east-1: arn:aws:rolesanywhere:us-east-1:111122223333:crl/`, `, list 2 of "ca", has revocations that the ledger lacks: `, "hint: if the ledger was restored from an older backup, take the list into it: kedge-ca aws crl push --take-list"}
	x.fails(cli.ExitFailed, behind, "aws", "crl", "push")
	x.fails(cli.ExitFailed, []string{"warning: the list of ca in account " + hubAccount + ", us-east-1: ", "has revocations that the ledger lacks"}, "status", "--check", "--aws")
	x.does("warning: push the list of \"ca\" to account "+hubAccount+", us-east-1: ", "crl") // list 2 again, without web-01
	x.refused("the ledger is behind", "Certificate revoked", "hosts", "web-01")

	var taken struct {
		Taken []struct {
			ARN     string   `json:"crl_arn"`
			Number  int64    `json:"number"`
			Serials []string `json:"serials"`
		} `json:"taken"`
	}
	out := x.does("done: took list 2 of \"ca\", which AWS has as arn:aws:", "aws", "crl", "push", "--take-list", "--why", "restored", "--json")
	if err := json.Unmarshal([]byte(out), &taken); err != nil || len(taken.Taken) != 1 || taken.Taken[0].Number != 2 || len(taken.Taken[0].Serials) != 1 {
		t.Fatalf("%s: %v", out, err)
	}
	x.does("the ledger lacks nothing of the lists at AWS", "aws", "crl", "push", "--take-list")
	x.does(`done: replaced list 2 by list 3 of "ca", with 1 revoked, in `, "crl")
	x.refused("after the list was taken", "Certificate revoked", "hosts", "web-01")
	x.does("", "status", "--check", "--aws")
	x.does("", "ledger", "verify")
}

// TestAWSCRLPush_words: what is wrong is said with what to do next, and nothing is changed.
func TestAWSCRLPush_words(t *testing.T) {
	t.Parallel()
	x := newPushCA(t, "")
	x.fails(cli.ExitFailed, []string{`error: there is no list of "ca" to push`, "hint: make it first: kedge-ca crl --issuer ca"}, "aws", "crl", "push")
	x.does("next: aws rolesanywhere import-crl", "crl")
	x.fails(cli.ExitFailed, []string{"IAM Roles Anywhere has no list of ca in account " + hubAccount + ", us-east-1: kedge-ca aws crl push --issuer ca"}, "status", "--check", "--aws")
	x.does("", "status", "--check") // nothing was ever pushed from here
	x.inject("rolesanywhere:throttle")
	out := x.does("done: imported list 1", "aws", "crl", "push", "--json")
	var pushed struct {
		Schema int
		CRLs   []struct {
			Change, Authority string
			Number            int64
			ARN               string `json:"crl_arn"`
			Anchor            string `json:"trust_anchor_arn"`
		}
	}
	if err := json.Unmarshal([]byte(out), &pushed); err != nil || pushed.Schema != 1 || len(pushed.CRLs) != 1 || pushed.CRLs[0].Change != "imported" || pushed.CRLs[0].Number != 1 || pushed.CRLs[0].Anchor != x.service.TrustAnchorARN() {
		t.Fatalf("%s: %v", out, err)
	}
	arn := pushed.CRLs[0].ARN
	if kept, err := os.ReadFile(x.path("ca/aws.yaml")); err != nil || !strings.Contains(string(kept), "ca: "+arn) {
		t.Errorf("%s, %v", kept, err)
	}
	x.does("next: aws rolesanywhere update-crl --crl-id ", "crl")
	x.fails(cli.ExitFailed, []string{"AWS has list 1 of ca, which is good until ", ", and the CA has list 2: kedge-ca aws crl push --issuer ca"}, "status", "--check")
	if _, err := x.client().DisableCrl(t.Context(), &rolesanywhere.DisableCrlInput{CrlId: &arn}); err != nil {
		t.Fatal(err)
	}
	x.fails(cli.ExitFailed, []string{"is up to date and disabled at AWS", "hint: if nobody meant that: aws rolesanywhere enable-crl --crl-id " + arn + " --region us-east-1"}, "aws", "crl", "push")
	x.fails(cli.ExitFailed, []string{"the list of ca is disabled at AWS"}, "status", "--check", "--aws")
	x.operator.SecretAccessKey = "wrong"
	x.fails(cli.ExitRefused, []string{"AWS does not accept the credentials"}, "aws", "crl", "push")
	x.fails(cli.ExitUsage, []string{"--why is for --take-list"}, "aws", "crl", "push", "--why", "x")
	x.fails(cli.ExitUsage, []string{"are for --aws"}, "status", "--endpoint-url", x.url)
	x.fails(cli.ExitFailed, []string{`there is no authority "none"`}, "aws", "crl", "push", "--issuer", "none")
}

// TestAWSCRLPush_noAnchor: without a trust anchor nothing is pushed, which is said.
func TestAWSCRLPush_noAnchor(t *testing.T) {
	t.Parallel()
	x := newPushCA(t, pushing)
	if err := os.Remove(x.path("ca/aws.yaml")); err != nil {
		t.Fatal(err)
	}
	x.does(`warning: the trust anchor of "ca" is not known here`, "crl")
	x.fails(cli.ExitFailed, []string{"no list is pushed to AWS", "kedge-ca crl --issuer ca --trust-anchor ARN"}, "status", "--check")
	x.fails(cli.ExitFailed, []string{`the trust anchor of "ca" is not known here`, "hint: give its ARN once"}, "aws", "crl", "push")
	x.does("imported list 2", "crl", "--trust-anchor", x.service.TrustAnchorARN())
}
