package cadir

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestCleanKeyURI(t *testing.T) {
	t.Parallel()
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ uri, want, err string }{
		{"key.pem", here + "/key.pem", ""},
		{"file:key.pem", here + "/key.pem", ""},
		{"/etc/key.pem", "/etc/key.pem", ""},
		{"env:CA_KEY", "env:CA_KEY", ""},
		{"handle:0x81000010", "tpm:handle=0x81000010", ""},
		{"tpm:file=key.pem?auth-source=auth", "tpm:file=" + here + "/key.pem?auth-source=" + here + "/auth", ""},
		{"tpm:handle=0x81000010?auth-source=env:AUTH&owner-auth-source=prompt", "tpm:handle=0x81000010?auth-source=env:AUTH&owner-auth-source=prompt", ""},
		{"pkcs11:token=ca;object=root?pin-source=file:/etc/pin", "pkcs11:token=ca;object=root?pin-source=file:/etc/pin", ""},
		{"PKCS11:token=ca", "PKCS11:token=ca", ""},
		{"AWSKMS:region=eu-central-1;key-id=alias%2FIssuing", "awskms:key-id=alias/Issuing;region=eu-central-1", ""},
		{"awskms:name=new", "", "kedge-ca key create"},
		{"awskms:key-id=a;secret=1234", "", "it holds no secret"},
		{"", "", "it names no key"},
		{"-", "", "standard input is read once"},
		{"fd:3", "", "descriptor 3 is read once"},
		{"tpm:", "", "it names no key"},
		{"tpm:file=key.pem?auth-source=-", "", "standard input is read once"},
		{"tpm:handle=0x1", "", "is not persistent"},
		{"pkcs11:token=ca?pin-value=1234", "", "a PIN cannot stand in it"},
		{"pkcs11:token=ca?module-name=x&pin-value=1234", "", "a PIN cannot stand in it"},
		{"pkcs11:token=ca;token=b", "", "is given twice"},
	} {
		got, err := CleanKeyURI(tt.uri)
		switch {
		case tt.err == "" && (err != nil || got != tt.want):
			t.Errorf("%s: %q, %v, want %q", tt.uri, got, err, tt.want)
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "1234")):
			t.Errorf("%s: %v, want %s", tt.uri, err, tt.err)
		}
		if again, err := CleanKeyURI(got); tt.err == "" && (err != nil || again != got) {
			t.Errorf("%s: read again it is %q, %v", got, again, err)
		}
	}
}
