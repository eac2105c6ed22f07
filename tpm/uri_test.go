package tpm

import (
	"strings"
	"testing"
)

func TestParseURI(t *testing.T) {
	tests := []struct {
		in   string
		want URI
	}{
		{"tpm:", URI{}},
		{"handle:0x81000010", URI{Handle: 0x81000010}},
		{"tpm:handle=0x81FFFFFF", URI{Handle: 0x81ffffff}},
		{"tpm:file=/etc/kedge/key.pem", URI{File: "/etc/kedge/key.pem"}},
		{"tpm:file=key.pem;device=/dev/tpm0", URI{File: "key.pem", Device: "/dev/tpm0"}},
		{"tpm:file=a%3Bb%3F%20%25.pem", URI{File: "a;b? %.pem"}},
		{"tpm:file=a+b=c", URI{File: "a+b=c"}},
		{"tpm:device=swtpm:host=127.0.0.1,port=2321;handle=0x81000001", URI{Device: "swtpm:host=127.0.0.1,port=2321", Handle: 0x81000001}},
		{"tpm:file=k?auth-source=file:/a&parent-auth-source=env:P&owner-auth-source=fd:3", URI{File: "k", KeyAuth: "file:/a", ParentAuth: "env:P", OwnerAuth: "fd:3"}},
		{"tpm:file=k;?auth-source=prompt&", URI{File: "k", KeyAuth: "prompt"}},
	}
	for _, test := range tests {
		if got, err := ParseURI(test.in); err != nil || got != test.want {
			t.Errorf("%s: %+v, %v", test.in, got, err)
		}
	}
}

func TestParseURIRefuses(t *testing.T) {
	tests := []struct{ in, want string }{
		{"pkcs11:object=x", `begins with "tpm:" or "handle:"`},
		{"TPM:file=x", `begins with "tpm:" or "handle:"`},
		{"handle:", "is not persistent"},
		{"handle:81000001", "is not persistent"},
		{"handle:0x80000001", "is not persistent"},
		{"handle:0x181000001", "is not persistent"},
		{"handle:0x81000001;file=x", "is not persistent"},
		{"tpm:handle=0x81000001;file=x", "a file or a handle, not both"},
		{"tpm:path=x", `unknown attribute "path"`},
		{"tpm:key.pem", `unknown attribute "key.pem"`},
		{"tpm:file", `attribute "file" has no value`},
		{"tpm:file=", `attribute "file" has no value`},
		{"tpm:file=a;file=b", `attribute "file" is given twice`},
		{"tpm:file=%zz", "invalid URL escape"},
		{"tpm:file=a?device=/dev/tpm0", `attribute "device" stands before the question mark`},
		{"tpm:file=a;auth-source=b", `attribute "auth-source" stands after the question mark`},
		{"tpm:file=a?auth-value=1234", "an auth value cannot stand in it"},
		{"tpm:device=ftp:x", "is neither a path nor one of"},
	}
	for _, test := range tests {
		if got, err := ParseURI(test.in); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %+v, %v; want %q", test.in, got, err, test.want)
		}
	}
}

// FuzzURI: what is read is printed so that it is read as the same.
func FuzzURI(f *testing.F) {
	f.Add("tpm:device=unix:/x;file=a%00b?auth-source=env:A")
	f.Add("handle:0x81000000")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseURI(s)
		if err != nil {
			return
		}
		if again, err := ParseURI(u.String()); err != nil || again != u {
			t.Errorf("%q -> %+v -> %q -> %+v, %v", s, u, u, again, err)
		}
	})
}

func TestParseAddress(t *testing.T) {
	tests := []struct{ in, want string }{
		{"/dev/tpmrm0", "/dev/tpmrm0"},
		{"./tpm.sock", "./tpm.sock"},
		{"/odd:name", "/odd:name"},
		{"device:/dev/tpm0", "/dev/tpm0"},
		{"unix:/run/tpm.sock", "unix:/run/tpm.sock"},
		{"tcp:[::1]:2321", "tcp:[::1]:2321"},
		{"mssim:localhost:2321", "mssim:localhost:2321"},
		{"mssim:host=h,port=1", "mssim:h:1"},
		{"mssim:host=h", "mssim:h:2321"},
		{"swtpm:path=/s", "unix:/s"},
		{"swtpm:host=h,port=1", "tcp:h:1"},
		{"swtpm:port=1", "tcp:localhost:1"},
		{"tbs", "tbs"},
	}
	for _, test := range tests {
		if got, err := parseAddress(test.in); err != nil || got.String() != test.want {
			t.Errorf("%s: %s, %v", test.in, got, err)
		}
	}
	for _, bad := range []string{"unix:", "tcp:host", "swtpm:/s", "swtpm:path=", "swtpm:socket=x", "mssim:x", "usb:1", "a\x00b"} {
		if got, err := parseAddress(bad); err == nil {
			t.Errorf("%q: %s", bad, got)
		}
	}
}
