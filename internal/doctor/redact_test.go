package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRedact: what may be a secret is hidden, and what a person needs stays.
func TestRedact(t *testing.T) {
	t.Parallel()
	const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	for _, tt := range []struct{ text, want string }{
		{"the key AKIAIOSFODNN7EXAMPLE is set", "the key (hidden) is set"},
		{"ASIAIOSFODNN7EXAMPLE.", "(hidden)."},
		{"AWS_SECRET_ACCESS_KEY=" + secret, "AWS_SECRET_ACCESS_KEY=(hidden)"},
		{`secret "` + secret + `", token`, `secret "(hidden)", token`},
		{"token kedge1_AAAA", "token (hidden)"},
		{"http://user:hunter2@proxy:3128: refused", "http://(hidden)@proxy:3128: refused"},
		{"pkcs11:token=a;object=b?pin-value=1234", "pkcs11:token=a;object=b?pin-value=(hidden)"},
		{"IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQ", "(hidden)"},
		{"/" + secret[1:], "(hidden)"}, // one key of 64 begins so
		{"aws:" + secret, "aws:(hidden)"},
		{"name=/" + secret[1:], "name=(hidden)"},
		{"/etc/kedge/" + secret + "/x", "(hidden)"},
		{"arn:aws:iam::111122223333:role/" + secret, "arn:aws:iam::111122223333:(hidden)"},
		{"https://us:hun&ter2@h:1, http://h", "https://(hidden)@h:1, http://h"},
		{`"https://us:p;q<r>(s)[t]{u}?v'w@x@h/a"`, `"https://(hidden)@h/a"`},
		{"http://us:a#@h https://us@h", "http://(hidden)@h https://(hidden)@h"},
		{"--proxy http://us:hun ter2@h:1 is wrong", "--proxy http://(hidden)@h:1 is wrong"},
		{`"http://us:hun ter@2 x@h:1", of a@b`, `"http://(hidden)@h:1", of a@b`},
		{`"http://us:hun\" ter2@h:1", of a@b`, `"http://(hidden)@h:1", of a@b`},
		{`--proxy 'http://us:hun'\'' ter2@h:1' a@b`, `--proxy 'http://(hidden)@h:1' a@b`},
		{`'http://us:hun'ter2@h:1'`, `'http://(hidden)@h:1'`},
		{"http://us er@h and https://us:12 34@i", "http://(hidden)@h and https://(hidden)@i"},
		{"http://us:a://b c@h", "http://(hidden)@h"},
		{"http://us:a\tb@h", "http://(hidden)@h"},
		{"serve token T9-xkEJcQm2vWbq0LrZy8dHnUf4sPaGo1tKiXe7_jMw", "serve token (hidden)"},
		{"a\nb\x1b[31m\u2028c", "a b [31m c"},

		{"arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000001", ""},
		{"/home/Alice/Certificates1/AVeryLongFolderName/AnotherLongName", ""},
		{"serial 5cc9cbb2b41985e8cb9730b374565e25", ""},
		{"f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2", ""},
		{"aws iam update-role --role-name backup-stack-BackupRole-1ABCDEFGHIJKLMN --x", ""},
		{"--role-name ProductionHostCredentials-RolesAnywhereRole0123456-kX2bP9wQz1aB", ""},
		{"arn:aws:iam::111122223333:role/backup-stack-BackupRole-1ABCDEFGHIJKLMN", ""},
		{"arn:aws:iam::111122223333:role/TeamOne/NamesOfRolesCanBeLongAndHaveNoHyphenInThem1", ""},
		{"https://example.com/UserGuide/Chapter1/HowToFindOutWhyThereAreNoCredentials", ""},
		{"no secret = here, (really)", ""},
		{"http://proxy.example.com:3128", ""},
		{`"https://h": the certificate is of "CN=a,E=a@b"`, ""},
		{"https://h refuses, https://i too", ""},
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

// TestRedact_path: the path of a file that there is stays.
func TestRedact_path(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12")
	if got := Redact(path); got == path {
		t.Error("no file, and it stays")
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := Redact(path); got != path {
		t.Error(got)
	}
}

// FuzzRedact: a planted secret never stays, wherever it begins, and nothing controls a terminal.
func FuzzRedact(f *testing.F) {
	f.Add("before", " after", byte(0))
	f.Add("k", ".", byte('='))
	f.Add("aws", "", byte(':'))
	f.Add("/path", "/more", byte('/'))
	f.Add("arn:aws:iam::111122223333:role", "", byte('/'))
	f.Add("https://us:hun&ter2", "@h", byte('@'))
	f.Fuzz(func(t *testing.T, before, after string, between byte) {
		if strings.Trim(after[:min(1, len(after))], base64Letters) == "" && after != "" && after[0] != '/' {
			return // the secret is another one
		}
		if got := Redact(before + " https://us:hun ter2@h"); strings.Contains(got, "hun ter2") && !strings.Contains(before, "hun ter2") {
			t.Errorf("%q: %q", before, got)
		}
		for _, secret := range []string{"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "/JalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"} {
			for _, text := range []string{before + " " + secret + after, before + string(":=/ "[between%4]) + secret + after, before + "https://" + secret + "@h" + after, before + "https://u:p&" + secret + "@h"} {
				got := Redact(text)
				if strings.Contains(got, secret) && !strings.Contains(before+after, secret) {
					t.Errorf("%q: %q", text, got)
				}
				if strings.ContainsAny(got, "\x00\x1b\n\r") {
					t.Errorf("%q", got)
				}
			}
		}
	})
}
