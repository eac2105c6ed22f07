package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadSelector(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return "file://" + path
	}
	all := "Key=x509Subject,Value=CN=Subject Key=x509Issuer,Value=CN=Issuer Key=x509Serial,Value=15d1"
	tests := []struct{ name, text, want, wantErr string }{
		{"one", "Key=x509Subject,Value=CN=Subject", "Key=x509Subject,Value=CN=Subject", ""},
		{"all", all, all, ""},
		{"spaces in a name", "Key=x509Subject,Value=CN=My Host,O=A B", "Key=x509Subject,Value=CN=My Host,O=A B", ""},
		{"serial in capitals", "Key=x509Serial,Value=15D1", "Key=x509Serial,Value=15d1", ""},
		{"file", file("all.json", `[{"Key":"x509Issuer","Value":"CN=Issuer"},{"Key":"x509Subject","Value":"CN=Subject"},{"Key":"x509Serial","Value":"15D1"}]`), all, ""},
		{"empty", "", "", "not of the form"},
		{"no key", "x509Subject", "", "not of the form"},
		{"no value", "Key=x509Subject", "", "not of the form"},
		{"empty value", "Key=x509Subject,Value=", "", `"x509Subject" has an empty value`},
		{"unknown key", "Key=subject,Value=CN=a", "", `"subject" is none of x509Subject, x509Issuer and x509Serial`},
		{"twice", "Key=x509Subject,Value=a Key=x509Subject,Value=b", "", "x509Subject is there twice"},
		{"serial twice", "Key=x509Serial,Value=1 Key=x509Serial,Value=0", "", "x509Serial is there twice"},
		{"bad serial", "Key=x509Serial,Value=0x15", "", "not a hexadecimal number"},
		{"missing file", "file://" + dir + "/none", "", "no such file"},
		{"not JSON", file("text", "Key=x509Subject"), "", "not a list like"},
		{"unknown field", file("field", `[{"Key":"x509Subject","Value":"a","Type":"b"}]`), "", "not a list like"},
		{"empty list", file("list", `[]`), "", "the list is empty"},
		{"two lists", file("two", `[{"Key":"x509Subject","Value":"a"}] []`), "", "more after the list"},
		{"large file", file("large", strings.Repeat(" ", maxSelector+1)), "", "is larger than 64 KiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := ReadSelector(tt.text)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Errorf("got %v, %v; want %q", s, err, tt.wantErr)
				}
				return
			}
			if err != nil || s.String() != tt.want {
				t.Errorf("got %v, %v; want %s", s, err, tt.want)
			}
		})
	}
}

// A selector that parses, from either form, prints as text that parses to the same selector;
// a name out of JSON that holds " Key=" cannot be written as text and is left out.
func FuzzSelector(f *testing.F) {
	f.Add("Key=x509Subject,Value=CN=Subject Key=x509Issuer,Value=CN=Issuer Key=x509Serial,Value=15D1")
	f.Add("Key=x509Subject,Value=CN=a  Key=x509Serial,Value=0")
	f.Add(`[{"Key":"x509Issuer","Value":"CN=Issuer"}]`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSelector(text)
		if err != nil {
			s, err = ParseSelectorJSON([]byte(text))
		}
		if err != nil || strings.Contains(s.Subject+"\n"+s.Issuer, " Key=") {
			return
		}
		again, err := ParseSelector(s.String())
		if err != nil {
			t.Fatalf("%q prints as %q, refused: %v", text, s, err)
		}
		if again.String() != s.String() {
			t.Errorf("%q prints as %q, which prints as %q", text, s, again)
		}
	})
}
