package takeover

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca"
)

// TestRead_files: certificates as people keep them, and what lies beside them.
func TestRead_files(t *testing.T) {
	t.Parallel()
	c, other := newTestCA(t), newTestCA(t)
	a, b := c.issue(0xa, "a"), c.issue(0xb, "b")
	earlier := c.root("Test CA of before")
	damaged := toPEM("CERTIFICATE", b)
	key, err := x509.MarshalPKCS8PrivateKey(c.leaf)
	if err != nil {
		t.Fatal(err)
	}
	dir, outside := t.TempDir(), t.TempDir()
	writeFiles(t, outside, map[string]string{"e.pem": toPEM("CERTIFICATE", c.issue(0xe, "e"))})
	writeFiles(t, dir, map[string]string{
		"a.pem":             "Certificate:\n    Data: ...\n" + toPEM("CERTIFICATE", a),
		"a.der":             string(a),
		"deep/er/bundle":    toPEM("CERTIFICATE", a) + "text\n" + toPEM("CERTIFICATE", b) + toPEM("PRIVATE KEY", key),
		"trusted.pem":       toPEM("TRUSTED CERTIFICATE", append(c.issue(0xc, "c"), 0x30, 0)),
		"clash.pem":         toPEM("CERTIFICATE", a) + toPEM("CERTIFICATE", c.issue(0xb, "other")),
		"foreign.pem":       toPEM("CERTIFICATE", other.issue(0xf, "f")),
		"cut.pem":           damaged[:len(damaged)/2],
		"broken.pem":        toPEM("CERTIFICATE", b[:len(b)-9]),
		"broken.der":        string(b[:len(b)-9]),
		"ca.pem":            toPEM("CERTIFICATE", c.cert.Raw) + toPEM("CERTIFICATE", earlier.Raw),
		"host.key":          toPEM("PRIVATE KEY", key),
		"host.p12":          string(key),
		"key.der":           string(key),
		"garbage":           "hello",
		"empty":             "",
		"dh.pem":            toPEM("DH PARAMETERS", []byte{0x30, 0}),
		"p7.pem":            toPEM("PKCS7", []byte{0x30, 0}),
		"strange.pem":       toPEM("STRANGE", []byte{0x30, 0}),
		"serial.old":        "01\n",
		"x509-types/client": "extendedKeyUsage = clientAuth\n",
	})
	for name, target := range map[string]string{"e.pem": filepath.Join(outside, "e.pem"), "up": outside, "same.pem": "a.pem", "nowhere": "x"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	items, sum := read(t, Sources{CA: certs(c.cert), Paths: []string{dir}, Now: c.now})
	if got, want := describe(items), []string{"a CN=a", "b CN=other", "c CN=c"}; !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("got %q, want %q", got, want)
	}
	wantNamed(t, sum.Skipped,
		"broken.der: the certificate is damaged", "broken.pem:1: the block \"CERTIFICATE\" is damaged", "cut.pem:1: the block \"CERTIFICATE\" is damaged",
		"the certificate \"CN=b\" has the serial number 0B of another",
		"e.pem: a symbolic link out of the folder",
		"foreign.pem:1: the certificate \"CN=f\" of \"CN=Test CA\" is not signed with the key of this CA",
		"garbage: neither a certificate nor", "nowhere: a symbolic link", "p7.pem:1: certificates in a PKCS#7", "strange.pem:1: the block \"STRANGE\"", "up: a symbolic link")
	if sum.Duplicates != 3 || sum.Keys != 4 || sum.Bookkeeping != 4 || sum.Counts[Foreign] != 1 || sum.Counts[Clash] != 1 || len(sum.Notes) != 0 {
		t.Errorf("%+v", sum)
	}
	if len(sum.Own) != 1 || !sum.Own[0].Equal(earlier) {
		t.Errorf("own: %v", sum.Own)
	}
}

// TestRead_coats: certificates and lists that are neither plain PEM nor DER.
func TestRead_coats(t *testing.T) {
	t.Parallel()
	c := newTestCA(t)
	utf16 := func(text string) string {
		out := "\xff\xfe"
		for _, b := range []byte(text) {
			out += string([]byte{b, 0})
		}
		return out
	}
	inPEM := toPEM("CERTIFICATE", c.issue(4, "d"))
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"utf16.crt":    utf16(toPEM("CERTIFICATE", c.issue(1, "a"))),
		"base64.crt":   base64.StdEncoding.EncodeToString(c.issue(2, "b")),
		"two.der":      string(c.issue(3, "c")) + string(c.issue(5, "e")),
		"indented.crt": "  " + strings.ReplaceAll(inPEM, "\n", "\r\n  "),
		"list.crl":     utf16(toPEM("X509 CRL", c.crl(7, nil, entry(1, c.now, 1)))),
		"list64.crl":   base64.StdEncoding.EncodeToString(c.crl(8, nil, entry(2, c.now, 4))),
	})
	items, sum := read(t, Sources{CA: certs(c.cert), Paths: []string{dir}, Now: c.now})
	want := []string{"1 CN=a key-compromise", "2 CN=b superseded", "3 CN=c", "4 CN=d", "5 CN=e"}
	if got := slices.Sorted(slices.Values(describe(items))); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if sum.CRLs != 2 || sum.CRLNumber.Int64() != 8 || len(sum.Skipped)+len(sum.Notes) > 0 {
		t.Errorf("%+v", sum)
	}
}

// TestRead_merges: what index.txt and lists say of the same certificates.
func TestRead_merges(t *testing.T) {
	t.Parallel()
	c := newTestCA(t)
	jan, mar := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"index.txt": strings.Join([]string{
			"R\t301231235959Z\t260301000000Z,superseded\t01\tunknown\t/CN=a",
			"R\t301231235959Z\t260101000000Z,keyCompromise\t02\tunknown\t/CN=b",
			"R\t301231235959Z\t260101000000Z,certificateHold\t03\tunknown\t/CN=c",
			"R\t301231235959Z\t260101000000Z,keyCompromise\t04\tunknown\t/CN=d",
			"V\t301231235959Z\t\t05\tunknown\t/CN=e",
			"V\t301231235959Z\t\t06\tunknown\t/CN=f", ""}, "\n"),
		"crl.pem": toPEM("X509 CRL", c.crl(7, nil, entry(1, jan, 1), entry(2, mar, 4), entry(3, jan, 5), entry(4, jan, 0), entry(5, jan, 1), entry(9, jan, 8))),
		"crl.der": string(c.crl(6, nil)), // read before the newest, and one after it
		"old.crl": string(c.crl(5, nil)),
		"f.pem":   toPEM("CERTIFICATE", c.issue(6, "f")),
	})
	items, sum := read(t, Sources{CA: certs(c.cert), Paths: []string{dir}, Now: c.now})
	want := []string{
		"6 CN=f", "1 /CN=a key-compromise without certificate", "2 /CN=b key-compromise without certificate",
		"3 /CN=c cessation-of-operation without certificate", "4 /CN=d key-compromise without certificate",
		"5  key-compromise without certificate", "9  unspecified without certificate",
	}
	if got := describe(items); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, i := range items[1:] {
		if !i.Revoked.At.Equal(jan) {
			t.Errorf("%x: revoked at %s", i.Serial, i.Revoked.At)
		}
	}
	wantNamed(t, sum.Notes, "the certificate 09: the reason 8 is none",
		"index.txt:1: the certificate 01 is revoked here at 2026-03-01T00:00:00Z (superseded), in "+filepath.Join(dir, "crl.pem")+" at 2026-01-01T00:00:00Z (key-compromise)",
		"index.txt:2: the certificate 02", "index.txt:3: the certificate 03", "index.txt:5: the certificate 05 is valid here and revoked in")
	if sum.CRLNumber.Int64() != 7 || sum.CRLs != 3 || len(sum.Skipped) != 0 {
		t.Errorf("%+v", sum)
	}
}

// TestRead_CRL: if a list that the operator names is not one of the CA's, nothing is read; one that
// is found is reported.
func TestRead_CRL(t *testing.T) {
	t.Parallel()
	c, other := newTestCA(t), newTestCA(t)
	ext := func(oid []int, value ...byte) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{{Id: oid, Critical: true, Value: value}}
		}
	}
	good := c.crl(7, nil, entry(1, c.now, 0))
	tests := map[string]struct{ content, why string }{
		"pem.crl":      {toPEM("X509 CRL", good), ""},
		"der.crl":      {string(good), ""},
		"other.crl":    {toPEM("X509 CRL", other.crl(7, nil)), `the CRL is of "CN=Test CA", and not signed with the key of this CA`},
		"delta.crl":    {string(c.crl(7, ext(oidDeltaCRLIndicator, 2, 1, 5))), "it is a delta CRL"},
		"indirect.crl": {string(c.crl(7, ext(oidIssuingDistributionPoint, 0x30, 3, 0x84, 1, 0xff))), "it is an indirect CRL"},
		"users.crl":    {string(c.crl(7, ext(oidIssuingDistributionPoint, 0x30, 3, 0x81, 1, 0xff))), ""},
		"cut.crl":      {string(good[:len(good)-9]), "the CRL is damaged or cut short"},
		"cutpem.crl":   {toPEM("X509 CRL", good[:len(good)-9]), "damaged or cut short"},
		"halfpem.crl":  {toPEM("X509 CRL", good)[:100], "damaged or cut short"},
	}
	for name, tt := range tests {
		dir := t.TempDir()
		writeFiles(t, dir, map[string]string{name: tt.content})
		path, called := filepath.Join(dir, name), 0
		_, err := Read(context.Background(), Sources{CA: certs(c.cert), CRL: []string{path}, Now: c.now}, func(Item) error { called++; return nil })
		_, sum := read(t, Sources{CA: certs(c.cert), Paths: []string{dir}, Now: c.now})
		if tt.why == "" {
			if err != nil || sum.CRLs != 1 || len(sum.Skipped) > 0 {
				t.Errorf("%s: %v, %+v", name, err, sum)
			}
			continue
		}
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Path != path || !strings.Contains(e.Why, tt.why) || called > 0 {
			t.Errorf("%s: %v, after %d items", name, err, called)
		}
		if sum.CRLs != 0 || sum.CRLNumber != nil || len(sum.Skipped) != 1 || !strings.Contains(sum.Skipped[0].Why, tt.why) {
			t.Errorf("%s: found in a folder: %v", name, sum.Skipped)
		}
	}
}

// TestRead_namedTwice: the same CRL under several names does not contradict itself.
func TestRead_namedTwice(t *testing.T) {
	c := newTestCA(t)
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"crl.pem":   toPEM("X509 CRL", c.crl(7, nil, entry(1, c.now, 8))),
		"index.txt": "R\t301231235959Z\t260301000000Z,stolen\t02\tunknown\t/CN=a\n",
	})
	list, index := filepath.Join(dir, "crl.pem"), filepath.Join(dir, "index.txt")
	items, sum := read(t, Sources{CA: certs(c.cert), Paths: []string{dir, index, list, dir + "/../" + filepath.Base(dir)}, CRL: []string{list, list}, Now: c.now})
	if len(items) != 2 || sum.CRLs != 1 || len(sum.Notes) != 2 {
		t.Errorf("%d items, %+v", len(items), sum)
	}
}

func TestRead_refused(t *testing.T) {
	c, other := newTestCA(t), newTestCA(t)
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"a.pem": toPEM("CERTIFICATE", c.issue(1, "a")), "b.pem": toPEM("CERTIFICATE", c.issue(2, "b"))})
	stop := errors.New("stop")
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	tests := map[string]struct {
		ctx  context.Context
		s    Sources
		want string
		is   error
	}{
		"no CA":        {nil, Sources{}, "no certificate of the CA", nil},
		"two keys":     {nil, Sources{CA: certs(c.cert, other.cert)}, "have different keys", nil},
		"missing":      {nil, Sources{CA: certs(c.cert), Paths: []string{dir, dir + "/x"}}, "/x: there is no such file or folder", fs.ErrNotExist},
		"missing list": {nil, Sources{CA: certs(c.cert), CRL: []string{dir + "/x"}}, "/x: there is no such file", fs.ErrNotExist},
		"no list":      {nil, Sources{CA: certs(c.cert), CRL: []string{dir + "/a.pem"}}, "there is a certificate in it, not a CRL", nil},
		"folder":       {nil, Sources{CA: certs(c.cert), CRL: []string{dir}}, "not a regular file", nil},
		"yield":        {nil, Sources{CA: certs(c.cert), Paths: []string{dir}}, "stop", stop},
		"canceled":     {canceled, Sources{CA: certs(c.cert), Paths: []string{dir}}, "canceled", context.Canceled},
	}
	for name, tt := range tests {
		called := 0
		if tt.ctx == nil {
			tt.ctx = context.Background()
		}
		_, err := Read(tt.ctx, tt.s, func(Item) error { called++; return stop })
		if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: %v", name, err)
		}
		if called > 0 && tt.is != stop || called > 1 {
			t.Errorf("%s: %d items", name, called)
		}
	}
}

// TestRead_manyFaults: the first of each kind are reported, the others counted, and none hides
// another kind.
func TestRead_manyFaults(t *testing.T) {
	c := newTestCA(t)
	dir := t.TempDir()
	files := map[string]string{"z/index.txt": "V\t301231235959Z\t\t01\tunknown\t/CN=a\n"}
	for n := range 50 {
		files[fmt.Sprintf("a/%02d", n)] = "garbage"
	}
	writeFiles(t, dir, files)
	_, sum := read(t, Sources{CA: certs(c.cert), Paths: []string{dir}, Now: c.now})
	if len(sum.Skipped) != 21 || sum.More != 30 || sum.Counts[Other] != 50 || sum.Counts[Missing] != 1 {
		t.Errorf("%d named, %d more, %v", len(sum.Skipped), sum.More, sum.Counts)
	}
}

// TestRead_deep: the depth of nested folders is bounded.
func TestRead_deep(t *testing.T) {
	c := newTestCA(t)
	dir := t.TempDir()
	pem := toPEM("CERTIFICATE", c.issue(1, "a"))
	writeFiles(t, dir, map[string]string{
		strings.Repeat("d/", maxDepth) + "a.pem":   pem,
		strings.Repeat("d/", maxDepth+1) + "a.pem": pem,
	})
	_, sum := read(t, Sources{CA: certs(c.cert), Paths: []string{dir}, Now: c.now})
	if sum.Certificates != 1 || sum.Duplicates != 0 {
		t.Errorf("%+v", sum)
	}
	wantNamed(t, sum.Skipped, "too many folders in one another")
}

// TestGravity: every reason but RemoveFromCRL has its place.
func TestGravity(t *testing.T) {
	for _, reason := range ca.Reasons() {
		if (gravity(reason) < 0) != (reason == ca.RemoveFromCRL) {
			t.Errorf("%s: %d", reason, gravity(reason))
		}
	}
}

// BenchmarkRead reads a folder of certificates of P-256, each in a file with the text that
// openssl writes.
func BenchmarkRead(b *testing.B) {
	const files = 2000
	c := newTestCA(b)
	dir := b.TempDir()
	var index strings.Builder
	text := strings.Repeat("        00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff\n", 50)
	for n := range int64(files) {
		der := c.issue(n+1, fmt.Sprintf("host-%d", n))
		writeFiles(b, dir, map[string]string{fmt.Sprintf("newcerts/%04X.pem", n+1): text + toPEM("CERTIFICATE", der)})
		fmt.Fprintf(&index, "V\t301231235959Z\t\t%04X\tunknown\t/CN=host-%d\n", n+1, n)
	}
	writeFiles(b, dir, map[string]string{"index.txt": index.String()})
	b.ReportAllocs()
	for b.Loop() {
		_, sum := read(b, Sources{CA: certs(c.cert), Paths: []string{dir}, Now: c.now})
		if sum.Certificates != files || len(sum.Skipped) > 0 {
			b.Fatalf("%+v", sum)
		}
	}
	b.ReportMetric(float64(files*b.N)/b.Elapsed().Seconds(), "certs/s")
}
