package config

import "testing"

func TestVariable(t *testing.T) {
	t.Setenv("KEDGE_TRUST_ANCHOR_ARN", "arn:x")
	if got := Variable("trust-anchor-arn"); got != "arn:x" || !ProcessEnvironment().HasVariables() {
		t.Errorf("got %q", got)
	}
}

func TestFromFolder(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]string{
		"key.pem": "/etc/kedge/key.pem", "file:a:b": "/etc/kedge/a:b", "../key.pem": "/etc/key.pem",
		"/key.pem": "/key.pem", "fd:3": "fd:3", "env:KEY": "env:KEY", "-": "-", "": "", "pkcs11:object=x": "pkcs11:object=x",
	} {
		if got := FromFolder("/etc/kedge", ref); got != want {
			t.Errorf("%q: %q, want %q", ref, got, want)
		}
	}
}
