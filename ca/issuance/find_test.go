package issuance

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"slices"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// TestFind_all: a name finds all that go by it, each once, with what it was found by first.
func TestFind_all(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	one, two := x.leaf("web-01", time.Hour), x.leaf("web-01", 2*time.Hour)
	x.leaf("web-02", time.Hour)
	for text, want := range map[string]QueryKind{
		"web-01":            ByCommonName,
		"CN=web-01":         BySubject,
		ca.SerialHex(one):   BySerial,
		fingerprint(two):    ByFingerprint,
		"ID=" + serial(one): BySerial,
		"arn:aws:sts::123456789012:assumed-role/web/" + serial(two): BySerial,
	} {
		found, err := x.Find(t.Context(), text)
		precise := want == BySerial || want == ByFingerprint
		if err != nil || len(found) != 2 && !precise || len(found) != 1 && precise || found[0].By != want {
			t.Errorf("%s: %v, %v", text, found, err)
		}
	}
	_, err := x.Find(t.Context(), " web-03 ")
	if none, ok := errors.AsType[*NoMatchError](err); !ok || none.Text != "web-03" {
		t.Errorf("nothing: %v", err)
	}
	if _, err := x.Find(t.Context(), "web-*"); err == nil {
		t.Error("a word is a pattern")
	}
}

func serial(c *x509.Certificate) string { return serialHex(c.SerialNumber) }

// TestFind_file: a file is read only by the function of the caller, and without one no text is
// the name of a file.
func TestFind_file(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	cert := x.leaf("web-01", time.Hour)
	if _, err := x.Find(t.Context(), "/etc/passwd"); err == nil || !errors.As(err, new(*NoMatchError)) {
		t.Errorf("without the function: %v", err)
	}
	broken := errors.New("no certificate in it")
	x.config.Certificate = func(path string) (*x509.Certificate, error) {
		switch path {
		case "there.pem":
			return cert, nil
		case "broken.pem":
			return nil, broken
		case "foreign.pem":
			return newCA(t).leaf("web-02", time.Hour), nil
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	s := x.another()
	found, err := s.Find(t.Context(), "there.pem")
	if err != nil || len(found) != 1 || found[0].By != ByFile {
		t.Errorf("there: %v, %v", found, err)
	}
	if _, err := s.Find(t.Context(), "broken.pem"); !errors.Is(err, broken) {
		t.Errorf("broken: %v", err)
	}
	_, err = s.Find(t.Context(), "missing.pem")
	if none, ok := errors.AsType[*NoMatchError](err); !ok || !none.NoFile {
		t.Errorf("one way to read it among others: %v", err)
	}
	for text, want := range map[string]bool{
		"events.json": true, "EVENTS.JSON.GZ": true, "events.jsonl": true, "there.pem.json": true, "web-03": false, "web-03.example.com": false,
		"arn:aws:sts::111122223333:assumed-role/web/events.json": false, "AROAEXAMPLE:events.json": false,
	} {
		_, err := s.Find(t.Context(), text)
		if none, ok := errors.AsType[*NoMatchError](err); !ok || none.NoFile != want {
			t.Errorf("%s: %v", text, err)
		}
	}
	_, err = s.Find(t.Context(), "foreign.pem")
	if none, ok := errors.AsType[*NoMatchError](err); !ok || none.NoFile || none.Subject != "CN=web-02" {
		t.Errorf("a certificate of another CA: %v", err)
	}
	one, err := SelectFile("missing.pem")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ToRelease(t.Context(), []Selector{one}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("named as a file: %v", err)
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.leaf("web-01", time.Hour)
	f, err := x.Lookup(t.Context(), "web-01", ledger.Filter{Kind: ledger.Leaf})
	if err != nil || f.CommonName != "web-01" || f.Kind != ledger.Leaf {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := x.Lookup(t.Context(), "web-01", ledger.Filter{Kind: ledger.Root}); !errors.As(err, new(*NoMatchError)) {
		t.Errorf("narrowed to nothing: %v", err)
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.leaf("web-01", time.Hour)
	root := x.open("").Certificate()
	for text, want := range map[string]string{
		RootName: keyID(ledger.Authority{Certificate: root}), "CN=kedge CA": "CN=kedge CA", "/CN=kedge CA": "CN=kedge CA", "CN=*": "CN=*", "0a0b": "0a0b",
	} {
		if got, err := x.ResolveIssuer(t.Context(), text); err != nil || got != want {
			t.Errorf("issuer %s: %q, %v, want %q", text, got, err, want)
		}
	}
	if _, err := x.ResolveIssuer(t.Context(), "other"); !errors.As(err, new(*UnknownAuthorityError)) {
		t.Errorf("unknown: %v", err)
	}
	for text, want := range map[string]string{"/CN=web-01": "CN=web-01", "CN=none": "CN=none"} {
		if got, err := x.ResolveSubject(t.Context(), text); err != nil || got != want {
			t.Errorf("subject %s: %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestResolveFilter(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.leaf("web-01", time.Hour)
	for _, tt := range []struct{ given, want ledger.Filter }{
		{ledger.Filter{}, ledger.Filter{}},
		{ledger.Filter{Subject: "web-01"}, ledger.Filter{Subject: "web-01"}},
		{ledger.Filter{Subject: "/CN=web-01"}, ledger.Filter{Subject: "CN=web-01"}},
		{ledger.Filter{Issuer: "/CN=kedge CA", Kind: ledger.Leaf}, ledger.Filter{Issuer: "CN=kedge CA", Kind: ledger.Leaf}},
		{ledger.Filter{Issuer: "0a0b", Subject: "/CN=web-01"}, ledger.Filter{Issuer: "0a0b", Subject: "CN=web-01"}},
	} {
		if got, err := x.ResolveFilter(t.Context(), tt.given); err != nil || got != tt.want {
			t.Errorf("%+v: %+v, %v", tt.given, got, err)
		}
	}
	if _, err := x.ResolveFilter(t.Context(), ledger.Filter{Issuer: "other", Subject: "/CN=web-01"}); !errors.As(err, new(*UnknownAuthorityError)) {
		t.Errorf("unknown: %v", err)
	}
}

func TestSelectors_refuse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		read       func(string) (Selector, error)
		text, want string
	}{
		{SelectName, " ", "nothing is named: give a serial, a subject, a fingerprint, a file, an ARN, a session or a host"},
		{SelectSerial, "web-01", `"web-01" is not a serial number, hex or decimal`},
		{SelectFingerprint, "0a0b", `"0a0b" is not a SHA-256, 64 digits in hex`},
		{SelectFile, "", `"" is not a file`},
		{SelectSubject, "", `"" is not a name`},
		{SelectHost, "", `"" is not a name`},
	} {
		if got, err := tt.read(tt.text); err == nil || err.Error() != tt.want {
			t.Errorf("%q: %+v, %v, want %s", tt.text, got, err, tt.want)
		}
	}
}

// TestToRevoke: a word selects the usable certificates and skips the rest; a precise selector must
// be usable; if one selector has none, nothing is revoked.
func TestToRevoke(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	old, cert := x.leaf("web-01", time.Hour), x.leaf("web-01", 20*time.Hour)
	other := x.leaf("web-02", 20*time.Hour)
	x.now = x.now.Add(2 * time.Hour)
	chosen, err := x.ToRevoke(t.Context(), x.selectors("web-01", "web-02", "web-01"), ca.Superseded)
	if err != nil || chosen.Skipped != 2 || !slices.EqualFunc(chosen.Certificates, []*x509.Certificate{cert, other}, func(c ledger.Certificate, w *x509.Certificate) bool { return slices.Equal(c.DER, w.Raw) }) {
		t.Fatalf("%+v, %v", chosen, err)
	}
	one, err := SelectSerial(serial(old))
	if err != nil {
		t.Fatal(err)
	}
	for name, all := range map[string][]Selector{"precise": append(x.selectors("web-01"), one), "nothing": x.selectors("web-01", "web-03"), "a root": x.selectors("web-01", "kedge CA")} {
		if chosen, err := x.ToRevoke(t.Context(), all, ca.Superseded); err == nil {
			t.Errorf("%s: %+v", name, chosen)
		}
	}
	if _, err := x.ToRevoke(t.Context(), x.selectors("kedge CA"), ca.Superseded); !errors.As(err, new(*RootRevocationError)) {
		t.Errorf("a root: %v", err)
	}
	host, err := SelectHost("web-*")
	if err != nil {
		t.Fatal(err)
	}
	if chosen, err := x.ToRevoke(t.Context(), []Selector{host}, ca.Superseded); err != nil || len(chosen.Certificates) != 2 {
		t.Errorf("a pattern: %+v, %v", chosen, err)
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.leaf("web-01", time.Hour)
	x.intermediate("issuing-1", RootName)
	x.leaf("web-02", time.Hour)
	changed := x.revoke(ca.CertificateHold, "web-01")
	if len(changed.Certificates) != 1 || changed.Certificates[0].RevokedAt == nil || !changed.Certificates[0].RevokedAt.Equal(x.now) ||
		len(changed.Behind) != 1 || changed.Behind[0].Name != RootName || len(changed.Warnings) != 0 {
		t.Errorf("by the root: %+v", changed)
	}
	if changed = x.revoke(ca.KeyCompromise, "web-02"); len(changed.Behind) != 1 || changed.Behind[0].Name != "issuing-1" || len(changed.Warnings) != 1 {
		t.Errorf("by an intermediate: %+v", changed)
	}
	if _, err := x.ToRevoke(t.Context(), x.selectors("web-02"), ca.Superseded); !errors.As(err, new(*ledger.RevokedError)) {
		t.Errorf("again: %v", err)
	}
	if _, err := x.ToRelease(t.Context(), x.selectors("web-02")); !errors.As(err, new(*ledger.NotHeldError)) {
		t.Errorf("release what is revoked for good: %v", err)
	}
	chosen, err := x.ToRelease(t.Context(), x.selectors("web-01"))
	if err != nil {
		t.Fatal(err)
	}
	if changed, err = x.Release(t.Context(), chosen.Certificates, ""); err != nil || changed.Certificates[0].RevokedAt != nil || len(changed.Behind) != 1 {
		t.Errorf("released: %+v, %v", changed, err)
	}
}

// TestFindLast: of the certificates of a name the last one issued counts, however likely the others are.
func TestFindLast(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	for range 3 {
		x.leaf("web-01", time.Hour)
	}
	x.leaf("web-02", time.Hour)
	for text, others := range map[string]int{"web-01": 2, "CN=web-01": 2, "web-02": 0} {
		all, err := x.Find(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		last, n, err := x.FindLast(t.Context(), text)
		if err != nil || n != others || slices.ContainsFunc(all, func(m Match) bool { return m.Seq > last.Seq }) {
			t.Errorf("%s: %d, with %d others, %v", text, last.Seq, n, err)
		}
	}
	if _, _, err := x.FindLast(t.Context(), "web-03"); !errors.As(err, new(*NoMatchError)) {
		t.Error(err)
	}
}
