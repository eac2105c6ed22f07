package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"kedge/internal/awskms"
	"kedge/internal/caadvice"
	"kedge/internal/cli"
	"kedge/internal/testenv"
)

// inKMS makes a CA with a double of AWS KMS.
func inKMS(t *testing.T) (*hardwareCA, *testenv.KMS) {
	t.Helper()
	k := testenv.NewKMS(t)
	return &hardwareCA{t: t, dir: t.TempDir(), env: k.Environment()}, k
}

// create makes a key and returns its URI.
func (c *hardwareCA) create(name string, flags ...string) string {
	c.t.Helper()
	stdout, _ := c.run(append([]string{"key", "create", "awskms:name=" + name + ";region=" + testenv.KMSRegion}, flags...)...)
	return strings.TrimSpace(stdout)
}

// TestKMS: a root and an intermediate in KMS are made, issue, sign, renew, revoke and are rotated, and
// nothing but where the keys are is in the folder.
func TestKMS(t *testing.T) {
	t.Parallel()
	c, k := inKMS(t)
	root := c.create("root")
	if u, err := awskms.ParseURI(root); err != nil || u.KeyID == "" || u.Region != testenv.KMSRegion {
		t.Fatalf("%s: %v", root, err)
	}
	stdout, stderr := c.run("init", "--key", root, "--json")
	if !strings.Contains(stdout, `"key_uri": "`+root+`"`) || !strings.Contains(stderr, "ca/ca.key-uri says where its key is, "+root) {
		t.Errorf("%s%s", stdout, stderr)
	}
	if got := c.read("ca/ca.key-uri"); got != root+"\n" || exist(t, c.path("ca/ca.key")) {
		t.Errorf("ca.key-uri: %s", got)
	}
	c.issueThousand()

	c.run("intermediate", "issuing", "--key", c.create("issuing", "--key-type", "P-384"))
	c.run("issue", "web-01")
	testenv.Run(t, c.dir, "openssl", "verify", "-CAfile", "ca/ca.pem", "-untrusted", "web-01.chain.pem", "web-01.pem")
	c.run("renew", "web-01")
	c.run("revoke", "web-01", "--yes")
	c.run("crl")
	for _, name := range []string{"ca", "issuing"} {
		testenv.Run(t, c.dir, "openssl", "crl", "-in", "ca/crl/"+name+".crl", "-noout", "-verify", "-CAfile", "ca/"+name+".pem")
	}
	c.run("renew", "--authority", "issuing")
	if stdout, _ := c.run("status"); strings.Count(stdout, " here ") != 2 {
		t.Error(stdout)
	}
	c.run("rotate", "start", "--key", c.create("next", "--key-type", "RSA-3072"))
	c.run("rotate", "switch", "--yes")
	c.run("issue", "web-02")
	testenv.Run(t, c.dir, "openssl", "verify", "-CAfile", "ca/ca-2.pem", "web-02.pem")
	c.run("ledger", "verify")
	if k.Requests("CreateKey") != 3 {
		t.Errorf("%d keys", k.Requests("CreateKey"))
	}
}

// TestKMS_elsewhere: an intermediate in KMS below a root in a file whose CA is elsewhere.
func TestKMS_elsewhere(t *testing.T) {
	t.Parallel()
	c, _ := inKMS(t)
	c.run("init", "--dir", "offline", "--no-password")
	c.run("intermediate", "issuing", "--csr", "--key", c.create("issuing"))
	c.run("intermediate", "--dir", "offline", "--from", "ca/issuing.csr", "--out", "issuing.pem")
	c.run("intermediate", "issuing", "--certificate", "issuing.pem", "--root", "offline/ca.pem")
	c.run("issue", "web-01")
	testenv.Run(t, c.dir, "openssl", "verify", "-CAfile", "offline/ca.pem", "-untrusted", "web-01.chain.pem", "web-01.pem")
}

// TestKMS_refuses: a fault ends with the code of an unusable key, names the key, has a hint, and leaves
// nothing.
func TestKMS_refuses(t *testing.T) {
	t.Parallel()
	c, k := inKMS(t)
	uri := k.MakeSigning(t, "ECC_NIST_P256")
	c.run("init", "--key", uri)
	c.run("issue", "web-01")
	for _, tt := range []struct {
		fault      testenv.Fault
		code       int
		text, hint string
	}{
		{testenv.Fault{Code: "ThrottlingException"}, cli.ExitKey, uri + ": KMS throttles requests", "quota"},
		{testenv.Fault{Code: "AccessDeniedException"}, cli.ExitKey, uri + ": access denied to kms:Sign", "kms:Sign"},
		{testenv.Fault{Code: "DisabledException"}, cli.ExitKey, uri + ": the key is disabled", "enable-key"},
		{testenv.Fault{Code: "InvalidKeyUsageException"}, cli.ExitKey, uri + ": the key cannot sign certificates", "kedge-ca key create"},
		{testenv.Fault{Code: "NotFoundException"}, cli.ExitKey, uri + ": there is no such key", "describe-key"},
		{testenv.Fault{Delay: time.Minute}, cli.ExitFailed, uri + ": KMS did not answer Sign in time", "HTTPS_PROXY"},
		{testenv.Fault{Change: func(answer map[string]any) {
			answer["Signature"] = "MEUCIQDs" + answer["Signature"].(string)[8:]
		}}, cli.ExitKey, "the signature does not verify", ""},
	} {
		k.Fail(testenv.Always("Sign", tt.fault))
		code, stdout, stderr := c.try("issue", "web-02")
		if stdout != "" || code == cli.ExitDone || tt.hint != "" && code != tt.code || !strings.Contains(stderr, tt.text) || !strings.Contains(stderr, tt.hint) {
			t.Errorf("%+v: exit %d, %s%s", tt.fault, code, stdout, stderr)
		}
		if exist(t, c.path("web-02.pem")) || exist(t, c.path("web-02.key")) {
			t.Errorf("%+v: a certificate or a key was left", tt.fault)
		}
	}
	k.Fail(nil)
	k.Do(t, "ScheduleKeyDeletion", map[string]any{"KeyId": strings.TrimPrefix(strings.Split(uri, ";")[0], "awskms:key-id="), "PendingWindowInDays": 7})
	c.refuses("the key is scheduled for deletion", "cancel-key-deletion", "issue", "web-02")
	k.Stop()
	c.refuses("KMS cannot be reached", "HTTPS_PROXY", "issue", "web-02")
	k.Start(t)
	c.refuses("its usage is ENCRYPT_DECRYPT", "kedge-ca key create", "init", "--dir", "b", "--key", "awskms:key-id="+k.Make(t, "RSA_2048", "ENCRYPT_DECRYPT")+";region="+testenv.KMSRegion)
	c.refuses("there is no such key", "describe-key", "init", "--dir", "b", "--key", "awskms:key-id=alias/none;region="+testenv.KMSRegion)
	if exist(t, c.path("b")) {
		t.Error("a folder was made")
	}
	c.write("ca/ca.key-uri", k.MakeSigning(t, "ECC_NIST_P256")+"\n")
	c.refuses("the key does not belong to the CA certificate", "", "issue", "web-02")
	stdout, _ := c.run("list", "--json")
	if strings.Contains(stdout, "web-02") {
		t.Error("a certificate was recorded")
	}
}

// TestKMS_usage: what is no URI of a key in KMS is an error of the command line, which shows no secret.
func TestKMS_usage(t *testing.T) {
	t.Parallel()
	c := &hardwareCA{t: t, dir: t.TempDir(), env: os.Environ()}
	for _, args := range [][]string{
		{"init", "--key", "awskms:key-id=a;secret-key=hunter2"}, {"init", "--key", "awskms:name=new"}, {"init", "--key", "awskms:"},
		{"key", "create", "awskms:key-id=a"}, {"key", "create", "tpm:"}, {"key", "create", "awskms:name=a", "--key-type", "P-224"}, {"key", "create"},
	} {
		if code, _, stderr := c.try(args...); code != cli.ExitUsage || strings.Contains(stderr, "hunter2") {
			t.Errorf("%v: exit %d, %s", args, code, stderr)
		}
	}
	if exist(t, c.path("ca")) {
		t.Error("a folder was made")
	}
}

// TestKMS_advice: each kind of error has advice, and the code of a key that cannot be used, or of the network.
func TestKMS_advice(t *testing.T) {
	t.Parallel()
	for _, kind := range []awskms.Kind{awskms.Throttled, awskms.Unavailable, awskms.Busy, awskms.Slow, awskms.Unreachable, awskms.Denied, awskms.NoCredentials, awskms.Configuration,
		awskms.NotFound, awskms.Disabled, awskms.PendingDeletion, awskms.WrongState, awskms.WrongKey, awskms.Refused} {
		code := cli.ExitKey
		if kind == awskms.Slow || kind == awskms.Unreachable {
			code = cli.ExitFailed
		}
		for _, operation := range []string{"", "Sign"} {
			err := &awskms.Error{Kind: kind, Operation: operation}
			if advise(err).Hint == "" || exitCode(err) != code || !caadvice.AffectsAll(err) {
				t.Errorf("%s: %+v", kind, advise(err))
			}
		}
	}
}
