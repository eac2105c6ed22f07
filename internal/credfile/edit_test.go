package credfile

import (
	"strings"
	"testing"
)

// keys are what the tests write.
func keys() []Setting {
	return []Setting{
		{Key: "aws_access_key_id", Value: "AKIDNEW"},
		{Key: "aws_secret_access_key", Value: "new/secret+="},
		{Key: "aws_session_token", Value: "newToken=="},
		{Key: "aws_security_token", Value: "newToken==", Existing: true},
	}
}

const block = "aws_access_key_id = AKIDNEW\naws_secret_access_key = new/secret+=\naws_session_token = newToken==\n"

func mustSection(t testing.TB, form Form, name string) Section {
	t.Helper()
	s, err := NewSection(form, name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEdit(t *testing.T) {
	const others = "# head\n[a]\nx=1 ; c\n\n"
	tests := []struct{ name, before, after string }{
		{"no file", "", "[p]\n" + block},
		{"other profiles", others, others + "[p]\n" + block},
		{"no blank line", "[a]\nx=1\n", "[a]\nx=1\n\n[p]\n" + block},
		{"no final newline", "[a]\nx=1", "[a]\nx=1\n\n[p]\n" + block},
		{"no final newline after the header", "[p]", "[p]\n" + block},
		{"no final newline after a key", "[p]\naws_session_token=x", "[p]\naws_session_token=newToken==\naws_access_key_id = AKIDNEW\naws_secret_access_key = new/secret+=\n"},
		{"CRLF", "[a]\r\nx=1\r\n[p]\r\ny=2\r\n", "[a]\r\nx=1\r\n[p]\r\n" + strings.ReplaceAll(block, "\n", "\r\n") + "y=2\r\n"},
		{"CRLF, new", "[a]\r\nx=1", "[a]\r\nx=1\r\n\r\n[p]\r\n" + strings.ReplaceAll(block, "\n", "\r\n")},
		{
			"in their places, with their spacing", others + "[p]\n# mine\naws_secret_access_key=old\nregion = eu-west-1\naws_access_key_id   =  old\naws_session_token =\n# end\n\n[b]\naws_access_key_id = AKIDB\n",
			others + "[p]\n# mine\naws_secret_access_key=new/secret+=\nregion = eu-west-1\naws_access_key_id   =  AKIDNEW\naws_session_token = newToken==\n# end\n\n[b]\naws_access_key_id = AKIDB\n",
		},
		{"the old name of the token", "[p]\naws_security_token = old\n", "[p]\naws_security_token = newToken==\n" + block},
		{"capitals and colons", "[p]\nAWS_ACCESS_KEY_ID: old\n", "[p]\naws_access_key_id= AKIDNEW\naws_secret_access_key = new/secret+=\naws_session_token = newToken==\n"},
		{"a comment after a value", "[p]\naws_access_key_id = old # mine\n", "[p]\n# mine\n" + block},
		{"a value of two lines", "[p]\naws_session_token = old\n  more\n# c\n  still\nx = 1\n", "[p]\naws_session_token = newToken==\naws_access_key_id = AKIDNEW\naws_secret_access_key = new/secret+=\n# c\nx = 1\n"},
		{"nested settings", "[p]\ns3 =\n  x = y\n[b]\n", "[p]\n" + block + "s3 =\n  x = y\n[b]\n"},
		{"a key of ours within another", "[p]\ns3 =\n  aws_access_key_id = y\n", "[p]\n" + block + "s3 =\n  aws_access_key_id = y\n"},
		{"indented settings", "[p]\n  region = x\n  output = y\n", "[p]\n  aws_access_key_id = AKIDNEW\n  aws_secret_access_key = new/secret+=\n  aws_session_token = newToken==\n  region = x\n  output = y\n"},
		{"[ p ], which only the Go SDK reads", "[ p ]\naws_access_key_id = old\nx = 1\n", "[ p ]\n" + block + "x = 1\n\n[p]\n" + block},
		{"a comment after the header", "[p] # mine\nx = 1\n", "[p] # mine\n" + block + "x = 1\n"},
		{"a section twice", "[p]\naws_access_key_id = 1\n[b]\n[p]\nregion = x\n", "[p]\n" + block + "[b]\n[p]\n" + block + "region = x\n"},
		{"a key twice", "[p]\naws_access_key_id = 1\nx = 2\naws_access_key_id = 3\n", "[p]\n" + block + "x = 2\n"},
		{"keys before the first section", "x = 1\n[p]\n", "x = 1\n[p]\n" + block},
		{"a byte order mark", "\ufeff[p]\nx = 1\n", "\ufeff[p]\nx = 1\n\n[p]\n" + block},
		{"a similar name", "[p2]\n[pp]\n[profile p]\naws_access_key_id = 1\n", "[p2]\n[pp]\n[profile p]\naws_access_key_id = 1\n\n[p]\n" + block},
		{"a header in a comment", "#[p]\n; [p]\n[a]\n", "#[p]\n; [p]\n[a]\n\n[p]\n" + block},
	}
	for _, tt := range tests {
		got, err := edit(tt.before, mustSection(t, Credentials, "p"), keys())
		if err != nil || got != tt.after {
			t.Errorf("%s: %v, got\n%q\nwant\n%q", tt.name, err, got, tt.after)
			continue
		}
		if again, err := edit(got, mustSection(t, Credentials, "p"), keys()); err != nil || again != got {
			t.Errorf("%s: the second time: %v, %q", tt.name, err, again)
		}
	}
}

func TestEdit_config(t *testing.T) {
	process := []Setting{{Key: "credential_process", Value: `"/a b/kedge" credential-process x`}}
	const line = "credential_process = \"/a b/kedge\" credential-process x\n"
	tests := []struct{ profile, before, after, wantErr string }{
		{"p", "[profile p]\nregion = x\n", "[profile p]\n" + line + "region = x\n", ""},
		{"p", "[p]\nregion = x\n", "[p]\nregion = x\n\n[profile p]\n" + line, ""},
		{"p", "[sso-session p]\nregion = x\n", "[sso-session p]\nregion = x\n\n[profile p]\n" + line, ""},
		{"default", "", "[default]\n" + line, ""},
		{"default", "[profile default]\nx = 1\n", "[profile default]\n" + line + "x = 1\n", ""},
		{"p", "x\n[profile \"p\"]\nregion = x\n", "", `line 2: not every AWS SDK reads this section as the profile "p"; write it as [profile p]`},
		{"p", "[ profile p ]\n", "", "write it as [profile p]"},
		{"p", "[profile  p]\n", "", "write it as [profile p]"},
		{"default", "[ default ]\n", "", "write it as [default]"},
	}
	for _, tt := range tests {
		got, err := edit(tt.before, mustSection(t, Config, tt.profile), process)
		if tt.wantErr == "" && (err != nil || got != tt.after) {
			t.Errorf("%q: %v, got\n%q\nwant\n%q", tt.before, err, got, tt.after)
		}
		if tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)) {
			t.Errorf("%q: %v, want %q", tt.before, err, tt.wantErr)
		}
	}
}

// Where the SDKs differ, so that one of them would not read the new values, nothing is written.
func TestEdit_unclear(t *testing.T) {
	for before, want := range map[string]string{
		"[p]\naws_session_token = old\n  region = x\n":    "line 3: some AWS SDKs read it as a setting",
		"[p]\nregion = x\n  aws_access_key_id = old\n":    "line 3: some AWS SDKs read it as a setting",
		"[p]\nregion = x\n  [b]\naws_access_key_id = 1\n": "the AWS SDKs differ",
		"[p] x\naws_access_key_id = 1\n":                  "the AWS SDKs differ",
		"[p]\n [p]\n x = 1\n":                             "the AWS SDKs differ", // the AWS CLI reads none of it, and would read the new lines as one value
	} {
		if got, err := edit(before, mustSection(t, Credentials, "p"), keys()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q; got %q", before, err, want, got)
		}
	}
}

func TestEdit_values(t *testing.T) {
	for value, want := range map[string]string{
		"":            "empty",
		" x":          "begin or end with a space",
		"x\ny":        "line breaks",
		"x\ry":        "line breaks",
		"x\u2028y":    "line breaks",
		"x\xff":       "UTF-8",
		"x #y":        `cannot hold "#" after a space`,
		"; y":         `cannot hold ";" after a space`,
		`"x"`:         "begin and end with a quote",
		`'a' b 'c'`:   "begin and end with a quote",
		`"a b" c=d`:   "",
		"a#b;c":       "",
		"größe 100 %": "",
	} {
		_, err := edit("", mustSection(t, Credentials, "p"), []Setting{{Key: "k", Value: value}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", value, err, want)
		}
	}
	if _, err := edit("", mustSection(t, Credentials, "p"), []Setting{{Key: "a b", Value: "x"}}); err == nil {
		t.Error("a key with a space")
	}
}

func TestNewSection(t *testing.T) {
	for name, ok := range map[string][2]bool{ // credentials, config
		"default": {true, true}, "web-01": {true, true}, "a.b/c:d@e+f%_": {true, true}, "größe": {true, false},
		"": {}, "DEFAULT": {}, "__proto__": {}, "a b": {}, "a]b": {}, "a#b": {}, "a\nb": {}, `a"b`: {}, "a\xff": {},
	} {
		for form, want := range ok {
			if _, err := NewSection(Form(form), name); (err == nil) != want {
				t.Errorf("%q, form %d: %v", name, form, err)
			}
		}
	}
}
