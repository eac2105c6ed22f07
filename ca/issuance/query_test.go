package issuance

import (
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"strings"
	"testing"
)

func TestParseQueries(t *testing.T) {
	t.Parallel()
	const sha256 = "5a0f1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8"
	colons := func(hex string) string {
		var pairs []string
		for pair := range slices.Chunk([]byte(hex), 2) {
			pairs = append(pairs, strings.ToUpper(string(pair)))
		}
		return strings.Join(pairs, ":")
	}
	tests := []struct {
		text string
		want []Query // all of them must be there, in this order; others may stand between
	}{
		{"04a2b3c4d5e6f708192a3b4c5d6e7f80", []Query{{BySerial, "04a2b3c4d5e6f708192a3b4c5d6e7f80"}}},
		{"4A2B3C4D5E6F708192A3B4C5D6E7F80", []Query{{BySerial, "04a2b3c4d5e6f708192a3b4c5d6e7f80"}}},
		{"00:04:A2:b3", []Query{{BySerial, "04a2b3"}}},
		{"serial=04A2B3", []Query{{BySerial, "04a2b3"}}},
		{"0x4a2b3", []Query{{BySerial, "04a2b3"}}},
		{"ID=04a2b3", []Query{{BySerial, "04a2b3"}}},
		{"4", []Query{{BySerial, "04"}, {ByCommonName, "4"}}},
		{"1000", []Query{{BySerial, "1000"}, {BySerial, "03e8"}, {ByCommonName, "1000"}, {ByHost, "1000"}}},
		{"340282366920938463463374607431768211456", []Query{{BySerial, "0100000000000000000000000000000000"}}},
		{"cafe", []Query{{BySerial, "cafe"}, {ByCommonName, "cafe"}}},
		{sha256, []Query{{ByFingerprint, sha256}}},
		{"sha256 Fingerprint=" + colons(sha256), []Query{{ByFingerprint, sha256}}},
		{"web-01", []Query{{ByCommonName, "web-01"}, {ByHost, "web-01"}, {BySAN, "web-01"}}},
		{"CN=web-01", []Query{{ByCommonName, "web-01"}}},
		{"subject=CN = web-01", []Query{{BySubject, "CN=web-01"}, {ByCommonName, "web-01"}}},
		{"CN=a=b+c", []Query{{ByCommonName, "a=b+c"}}},
		{"CN=web-01,O=Example,C=CH", []Query{{BySubject, "CN=web-01,O=Example,C=CH"}}},
		{"C = CH, O = Example, CN = web-01", []Query{{BySubject, "CN=web-01,O=Example,C=CH"}}},
		{"/C=CH/O=Example/CN=spiffe://example.org/web", []Query{{BySubject, "CN=spiffe://example.org/web,O=Example,C=CH"}}},
		{`C = CH, O = "Example, Inc.", CN = web-01`, []Query{{BySubject, `CN=web-01,O=Example\, Inc.,C=CH`}}},
		{`CN=web-01,O=Example\, Inc.`, []Query{{BySubject, `CN=web-01,O=Example\, Inc.`}}},
		{`CN=web-01,O=Example, Inc.`, []Query{{BySubject, `CN=web-01,O=Example\, Inc.`}}},
		{`CN=B\C3\BCro`, []Query{{BySubject, "CN=Büro"}, {ByCommonName, "Büro"}}},
		{"OU=a+CN=b,O=c", []Query{{BySubject, "OU=a+CN=b,O=c"}}},
		{"CN=web-01,DC=example,DC=com", []Query{{BySubject, "CN=web-01,0.9.2342.19200300.100.1.25=example,0.9.2342.19200300.100.1.25=com"}}},
		{"arn:aws:sts::123456789012:assumed-role/web/04a2b3", []Query{{BySerial, "04a2b3"}}},
		{"arn:aws-us-gov:sts::123456789012:assumed-role/web/web-01", []Query{{ByCommonName, "web-01"}, {ByHost, "web-01"}}},
		{"AROAEXAMPLEEXAMPLE12:web-01", []Query{{ByCommonName, "web-01"}}},
		{"web-01.pem", []Query{{ByFile, "web-01.pem"}, {ByCommonName, "web-01.pem"}}},
		{"/etc/kedge/web-01", []Query{{ByFile, "/etc/kedge/web-01"}}},
		{"spiffe://example.org/web", []Query{{ByCommonName, "spiffe://example.org/web"}, {BySAN, "spiffe://example.org/web"}}},
		{"10.0.0.1", []Query{{ByCommonName, "10.0.0.1"}, {BySAN, "10.0.0.1"}}},
		{"  web-01\n", []Query{{ByCommonName, "web-01"}}},
	}
	for _, tt := range tests {
		got, err := ParseQueries(tt.text)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
		}
		rest := got
		for _, want := range tt.want {
			i := slices.Index(rest, want)
			if i < 0 {
				t.Errorf("%q: %v, want %v", tt.text, got, tt.want)
				break
			}
			rest = rest[i+1:]
		}
		if got[0] != tt.want[0] && tt.want[0].Kind != ByCommonName && tt.want[0].Kind != BySubject {
			t.Errorf("%q: begins with %v, want %v", tt.text, got[0], tt.want[0])
		}
	}
}

func TestParseQueries_refuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"", "nothing is named: "},
		{" \t", "nothing is named: "},
		{strings.Repeat("a", 5000), "has 5000 bytes; at most 4096 are read"},
		{"arn:aws:iam::123456789012:role/web", "names no session: it must be one of an assumed role"},
		{"arn:aws:sts::123456789012:assumed-role/web", "names no session"},
		{"arn:aws:rolesanywhere:eu-west-1:123456789012:subject/1", "names no session"},
	}
	for _, tt := range tests {
		if got, err := ParseQueries(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, %v, want %s", tt.text, got, err, tt.want)
		}
	}
}

// TestSourceIdentityQuery: only a source identity that IAM Roles Anywhere can have given is one: a bare name has 62 to
// 64 characters.
func TestSourceIdentityQuery(t *testing.T) {
	t.Parallel()
	name := func(length int) string { return strings.Repeat("ü", length) }
	for _, tt := range []struct {
		identity string
		want     Query // the zero value if it is none
	}{
		{"CN=web-01", Query{ByCommonName, "web-01"}},
		{"CN=" + name(61), Query{ByCommonName, name(61)}},
		{"CN=" + name(62), Query{}},
		{name(61), Query{}},
		{name(62), Query{ByCommonName, name(62)}},
		{name(64), Query{ByCommonName, name(64)}},
		{name(65), Query{}},
		{"web-01", Query{}},
		{"alice", Query{}},
		{"CN=", Query{}},
		{"", Query{}},
		{"ID=04a2b3", Query{BySerial, "04a2b3"}},
		{"ID=00", Query{BySerial, "00"}},
		{"ID=alice", Query{}},
		{"/etc/passwd", Query{}},
	} {
		got, ok := SourceIdentityQuery(tt.identity)
		if got != tt.want || ok != (tt.want != Query{}) {
			t.Errorf("%q: %v, %t", tt.identity, got, ok)
		}
	}
}

// FuzzParseQueries: a number is always in the ledger's form, and parsing it again finds it again.
func FuzzParseQueries(f *testing.F) {
	for _, text := range []string{"0A:0b", "123", "CN=a,O=b", "/CN=a", `O = "x`, `CN=a\`, "1.2.3=#13", "ID=1", "arn:aws:sts::1:assumed-role/a/b", "CN=a+"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ParseQueries(text)
		if (err == nil) == (len(all) == 0) {
			t.Fatalf("%v, %v", all, err)
		}
		for _, r := range all {
			switch r.Kind {
			case BySerial:
				n, ok := new(big.Int).SetString(r.Value, 16)
				if !ok || len(r.Value)%2 != 0 || len(r.Value) > 2*maxSerial || n.Sign() > 0 && serialHex(n) != r.Value {
					t.Errorf("serial %q", r.Value)
				}
				again, err := ParseQueries("ID=" + r.Value)
				if err != nil || !slices.Contains(again, r) {
					t.Errorf("%q again: %v, %v", r.Value, again, err)
				}
			case ByFingerprint:
				if len(r.Value) != 64 || strings.Trim(r.Value, "0123456789abcdef") != "" {
					t.Errorf("fingerprint %q", r.Value)
				}
			}
		}
	})
}

// FuzzSubjects: a name that a certificate has is found by what Go prints of it, and by what
// openssl prints.
func FuzzSubjects(f *testing.F) {
	f.Add("web-01", "Example, Inc.", "CH")
	f.Add(" a+CN=b", "#c", `\"`)
	f.Fuzz(func(t *testing.T, cn, o, c string) {
		for _, s := range []string{cn, o, c} {
			if s == "" || strings.ToValidUTF8(s, "") != s || strings.ContainsRune(s, 0) {
				t.Skip()
			}
		}
		want := pkix.Name{CommonName: cn, Organization: []string{o}, Country: []string{c}}.String()
		if got := subjects(want); !slices.Contains(got, want) {
			t.Errorf("%q: %q", want, got)
		}
		if strings.Trim(cn+o+c, "abcdefghijklmnopqrstuvwxyz-. ") == "" && strings.TrimSpace(cn) == cn && strings.TrimSpace(o) == o && strings.TrimSpace(c) == c {
			for _, text := range []string{"C = " + c + ", O = " + o + ", CN = " + cn, "/C=" + c + "/O=" + o + "/CN=" + cn} {
				if got := subjects(text); !slices.Contains(got, want) {
					t.Errorf("%q: %q, want %q", text, got, want)
				}
			}
		}
	})
}
