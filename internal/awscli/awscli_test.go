package awscli

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/cadir"
	"kedge/internal/testenv"
)

const (
	anchorID  = "6b656467-6500-4000-8000-000000000001"
	anchorARN = "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/" + anchorID
	otherARN  = "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000003"
	crlARN    = "arn:aws:rolesanywhere:eu-west-1:111122223333:crl/6b656467-6500-4000-8000-000000000002"
)

func TestAnchor_command(t *testing.T) {
	t.Parallel()
	const source = ` --source '{"sourceType":"CERTIFICATE_BUNDLE","sourceData":{"x509CertificateData":"-----BEGIN\na+/=\n"}}'`
	for _, tt := range []struct {
		anchor Anchor
		want   string
	}{
		{Anchor{Name: "it's & a CA"}, `aws rolesanywhere create-trust-anchor --enabled --name 'it-s - a CA'`},
		{Anchor{Name: "CA", Region: "eu-west-1"}, `aws rolesanywhere create-trust-anchor --enabled --name 'CA' --region 'eu-west-1'`},
		{Anchor{Name: "CA", ID: anchorID}, `aws rolesanywhere update-trust-anchor --trust-anchor-id '` + anchorID + `'`},
		{Anchor{ID: anchorID, Region: "eu-west-1"}, `aws rolesanywhere update-trust-anchor --trust-anchor-id '` + anchorID + `' --region 'eu-west-1'`},
	} {
		tt.anchor.PEM = []byte("-----BEGIN\na+/=\n")
		if got, err := tt.anchor.Command(); err != nil || got != tt.want+source {
			t.Errorf("%+v: %s, %v\nwant %s", tt.anchor, got, err, tt.want+source)
		}
	}
}

func TestParseAnchor(t *testing.T) {
	t.Parallel()
	if a, err := ParseAnchor(anchorARN); err != nil || a.ID != anchorID || a.Region != "eu-west-1" || a.Text != anchorARN {
		t.Errorf("%+v, %v", a, err)
	}
	for _, id := range []string{"", anchorID, strings.ToUpper(anchorID)} {
		if a, err := ParseAnchor(id); err != nil || a != (cadir.ARN{ID: id}) {
			t.Errorf("%q: %+v, %v", id, a, err)
		}
	}
	alias := strings.TrimSuffix(anchorARN, "trust-anchor/"+anchorID) + "alias/trust-anchor/workloads"
	if a, err := ParseAnchor(alias); err != nil || a.ID != alias || a.Region != "eu-west-1" || a.Text != "" {
		t.Errorf("%+v, %v", a, err)
	}
	for text, want := range map[string]string{
		"workloads": `"workloads" is neither the ARN nor the id of a trust anchor`,
		crlARN:      `"` + crlARN + `" is not the ARN of a trust anchor`,
		"'; id":     `"'; id" is neither the ARN nor the id of a trust anchor`,
	} {
		if a, err := ParseAnchor(text); err == nil || err.Error() != want {
			t.Errorf("%q: %+v, %v, want %s", text, a, err, want)
		}
	}
}

func TestAnchor_at(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ region, arn, id, want string }{
		{"", "eu-west-1", anchorID, "eu-west-1"},
		{"eu-west-1", "eu-west-1", anchorID, "eu-west-1"},
		{"eu-west-1", "", anchorID, "eu-west-1"},
		{"us-east-1", "eu-west-1", "", "us-east-1"},
	} {
		a := Anchor{Region: tt.region}
		if ok := a.At(cadir.ARN{ID: anchorID, Region: tt.arn}); ok != (tt.id != "") || a.ID != tt.id || a.Region != tt.want {
			t.Errorf("%+v: %v, %+v", tt, ok, a)
		}
	}
}

func TestCRL_command(t *testing.T) {
	t.Parallel()
	kept := &cadir.AWS{TrustAnchor: anchorARN, TrustAnchors: map[string]string{"iss/1": otherARN}, CRLs: map[string]string{"ca": crlARN, "iss-3": crlARN}}
	file := filepath.Join(t.TempDir(), "it's a list")
	data := " --crl-data '" + strings.ReplaceAll("fileb://"+file, "'", `'\''`) + "'"
	update := "aws rolesanywhere update-crl --crl-id '6b656467-6500-4000-8000-000000000002' --region 'eu-west-1'" + data
	first := func(name, anchor string) string {
		return "aws rolesanywhere import-crl --enabled --name '" + name + "' --trust-anchor-arn '" + anchor + "' --region 'eu-west-1'" + data + " --query crl.crlArn --output text"
	}
	for _, tt := range []struct {
		authority string
		root      bool
		want      string // empty: not known
	}{
		{"ca", true, update},
		{"ca-2", true, first("ca-2", anchorARN)},
		{"iss/1", false, first("iss-1", otherARN)},
		{"iss-2", false, ""}, // the trust anchor of the roots does not take it
		{"iss-3", false, update},
	} {
		c, err := FindCRL(kept, tt.authority, tt.root)
		if err != nil || c.IsKnown() != (tt.want != "") || c.IsImported() != (tt.want == update) {
			t.Errorf("%s: %+v, %v", tt.authority, c, err)
		}
		if tt.want == "" {
			continue
		}
		if got, err := c.Command(file); err != nil || got != tt.want {
			t.Errorf("%s: %s, %v\nwant %s", tt.authority, got, err, tt.want)
		}
		if line, err := c.Command(file + "/$HOME"); err == nil || !strings.HasPrefix(err.Error(), "the AWS CLI replaces $NAME in the names of files, and there is a $ in /") {
			t.Errorf("%s, %v", line, err)
		}
	}
}

func TestFindCRL_refuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ anchor, crl, want string }{
		{anchorARN, strings.Replace(crlARN, "eu-west-1", "us-east-1", 1), `the list of "ca" and its trust anchor are in different accounts or regions: arn:`},
		{anchorARN, strings.Replace(crlARN, "111122223333", "111122224444", 1), `the list of "ca" and its trust anchor are in different accounts or regions: arn:`},
		{"x", "", `"x" is not the ARN of a trust anchor`},
		{"", anchorARN, `"` + anchorARN + `" is not the ARN of a CRL`},
	} {
		c, err := FindCRL(&cadir.AWS{TrustAnchor: tt.anchor, CRLs: map[string]string{"ca": tt.crl}}, "ca", true)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%+v, %v, want %s", c, err, tt.want)
		}
	}
}

func TestQuote(t *testing.T) {
	t.Parallel()
	sh := testenv.Tool(t, "sh")
	for _, text := range []string{"", "a b", `it's`, "$HOME `id` \\ \"", "two\nlines", "''"} {
		out, err := exec.Command(sh, "-c", "printf %s "+Quote(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("%q came as %q: %v", text, out, err)
		}
	}
}

// TestImports: each list that is known has its command line, for a person or for a program; others
// are named to the program's user.
func TestImports(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:rolesanywhere:eu-west-1:111122223333:"
	kept := &cadir.AWS{
		TrustAnchors: map[string]string{"first": arn + "trust-anchor/11111111-2222-3333-4444-555555555555"},
		CRLs:         map[string]string{"again": arn + "crl/11111111-2222-3333-4444-555555555555"},
	}
	var all []Import
	for _, authority := range []string{"first", "unknown", "again"} {
		c, err := FindCRL(kept, authority, false)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, Import{c, "/ca/crl/" + authority + ".crl"})
	}
	labels := func(printed bool, all ...Import) string {
		lines, notes, err := Imports(all, printed)
		text := strings.Repeat("line ", strings.Count(lines, "aws rolesanywhere ")) + "|"
		for _, n := range notes {
			word, _, _ := strings.Cut(n.Text, " ")
			text += " " + n.Label + ":" + word
		}
		if err != nil {
			text += " error"
		}
		return text
	}
	dollar := Import{all[0].CRL, "/ca/$HOME.crl"}
	for _, tt := range []struct{ got, want string }{
		{labels(true), "|"},
		{labels(true, all...), "line line | next:then warning:the"},
		{labels(false, all...), "line line | next:aws next:then next:aws"},
		{labels(true, all[2]), "line |"},
		{labels(false, all[1]), "|"},
		{labels(false, all[2], dollar), "| next:aws error"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s, want %s", tt.got, tt.want)
		}
	}
}
