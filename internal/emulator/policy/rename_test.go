package policy

import (
	"reflect"
	"strings"
	"testing"
)

// TestRename: names of principals of the kind AWS are replaced, in the document and in its text, and nothing else is.
func TestRename(t *testing.T) {
	t.Parallel()
	const old, other = "arn:aws:iam::111122223333:role/hub", "AROAAAAAAAAAAAAAAAAAA"
	rename := func(name string) string { return strings.Replace(name, old, other, 1) }
	for _, tt := range []struct{ name, text, want string }{
		{"one", `{"Statement":{"Effect":"Allow","Principal":{"AWS":"HUB"},"Action":"sts:AssumeRole"}}`, `{"Statement":{"Effect":"Allow","Principal":{"AWS":"ID"},"Action":"sts:AssumeRole"}}`},
		{
			"of lists, with white space",
			"{\"Statement\": [\n {\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\": [\"111122223333\", \"HUB\"]},\"Action\":\"sts:*\"},\n {\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"ec2.amazonaws.com\",\"AWS\":[\"HUB\",\"HUB\"]},\"Action\":\"sts:*\"}]}\n",
			"{\"Statement\": [\n {\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\": [\"111122223333\", \"ID\"]},\"Action\":\"sts:*\"},\n {\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"ec2.amazonaws.com\",\"AWS\":[\"ID\",\"ID\"]},\"Action\":\"sts:*\"}]}\n",
		},
		{"with an escape", `{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role\/hub"},"Action":"sts:*"}}`, `{"Statement":{"Effect":"Allow","Principal":{"AWS":"ID"},"Action":"sts:*"}}`},
		{
			"not in conditions, nor of other kinds",
			`{"Id":"HUB","Statement":{"Sid":"AWS","Effect":"Allow","Principal":{"Federated":"HUB"},"Action":"sts:*","Condition":{"ArnEquals":{"AWS":"HUB","aws:PrincipalArn":["HUB"]}}}}`, "",
		},
		{"everyone", `{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:*"}}`, ""},
	} {
		text := strings.ReplaceAll(tt.text, "HUB", old)
		want := strings.NewReplacer("HUB", old, "ID", other).Replace(tt.want)
		before := mustParse(t, Trust, text)
		values := strings.Join(before.Statements[0].Principal.Values, " ")
		after, got := before.Rename(text, rename)
		if tt.want == "" {
			if after != before || got != text {
				t.Errorf("%s: %s", tt.name, got)
			}
			continue
		}
		if got != want {
			t.Errorf("%s: %s, want %s", tt.name, got, want)
		}
		if !reflect.DeepEqual(after, mustParse(t, Trust, got)) {
			t.Errorf("%s: the document is not that of the text: %+v", tt.name, after)
		}
		if has := strings.Join(before.Statements[0].Principal.Values, " "); has != values {
			t.Errorf("%s: the given document has changed: %s", tt.name, has)
		}
	}
}
