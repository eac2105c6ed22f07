package doctor

import (
	"strings"
	"testing"
)

// TestRedact: what may be a secret is hidden, and what a person needs stays.
func TestRedact(t *testing.T) {
	t.Parallel()
	const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	for _, tt := range []struct{ text, want string }{
		{"the key AKIAIOSFODNN7EXAMPLE is set", "the key (hidden) is set"},
		{"ASIAIOSFODNN7EXAMPLE.", "(hidden)"},
		{"AWS_SECRET_ACCESS_KEY=" + secret, "AWS_SECRET_ACCESS_KEY=(hidden)"},
		{`secret "` + secret + `", token`, `secret "(hidden)", token`},
		{"token kedge1_AAAA", "token (hidden)"},
		{"http://user:hunter2@proxy:3128: refused", "http://(hidden)@proxy:3128: refused"},
		{"pkcs11:token=a;object=b?pin-value=1234", "pkcs11:token=a;object=b?pin-value=(hidden)"},
		{"IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQ", "(hidden)"},
		{"a\nb\x1b[31m\u2028c", "a b [31m c"},

		{"arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000001", ""},
		{"/home/Alice/Certificates1/AVeryLongFolderName/AnotherLongName", ""},
		{"serial 5cc9cbb2b41985e8cb9730b374565e25", ""},
		{"f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2", ""},
		{"no secret = here, (really)", ""},
		{"http://proxy.example.com:3128", ""},
	} {
		want := tt.want
		if want == "" {
			want = tt.text
		}
		if got := Redact(tt.text); got != want {
			t.Errorf("%q: %q, want %q", tt.text, got, want)
		}
	}
}

// FuzzRedact: a planted secret never stays, and nothing controls a terminal.
func FuzzRedact(f *testing.F) {
	const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	f.Add("before ", " after")
	f.Add("k=", ".")
	f.Fuzz(func(t *testing.T, before, after string) {
		got := Redact(before + " " + secret + " " + after)
		if strings.Contains(got, secret) && !strings.Contains(before+after, secret) {
			t.Errorf("%q", got)
		}
		if strings.ContainsAny(got, "\x00\x1b\n\r") {
			t.Errorf("%q", got)
		}
	})
}
