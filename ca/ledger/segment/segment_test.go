package segment

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// signer is an authority of the tests.
type signer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newSigner(t *testing.T) *signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{cert, key}
}

func (s *signer) Certificate() *x509.Certificate { return s.cert }

func (s *signer) SignText(text []byte) ([]byte, error) {
	sum := sha256.Sum256(text)
	return ecdsa.SignASN1(rand.Reader, s.key, sum[:])
}

func (s *signer) trusted(c *x509.Certificate) bool { return c.Equal(s.cert) }

// make creates a segment with records 10, 20, 30 …
func (s *signer) make(t *testing.T, records int) string {
	t.Helper()
	path, err := Create(t.TempDir(), s, func(w *Writer) (Manifest, error) {
		for i := range records {
			if err := w.Add(recordAt(i)); err != nil {
				return Manifest{}, err
			}
		}
		return Manifest{Number: 3, Ledger: "00", Head: "9:00"}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func recordAt(i int) Record {
	return Record{Seq: int64(10 * (i + 1)), Keys: []string{fmt.Sprint("serial ", i), "host " + fmt.Sprint(i%7)}, Data: fmt.Appendf(nil, "what record %d has", i)}
}

func open(t *testing.T, path string) *Segment {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestSegment(t *testing.T) {
	const n = 3*blockRecords + 5
	ca := newSigner(t)
	path := ca.make(t, n)
	s := open(t, path)
	if s.Number != 3 || s.Manifest.Records != n || s.First != 10 || s.Last != 10*n || len(s.Data) != 4 || filepath.Base(path) != s.Name() || !s.Signed().Equal(ca.cert) {
		t.Errorf("%+v", s.Manifest)
	}
	if seqs, err := s.Check(); err != nil || len(seqs) != n || seqs[1] != 20 {
		t.Error(len(seqs), err)
	}
	i := 0
	for r, err := range s.Records() {
		if want := recordAt(i); err != nil || r.Seq != want.Seq || string(r.Data) != string(want.Data) {
			t.Fatalf("record %d: %+v, %v", i, r, err)
		}
		i++
	}
	if i != n {
		t.Errorf("%d records", i)
	}
	for i := range n {
		if blocks, err := s.Find(fmt.Sprint("serial ", i)); err != nil || len(blocks) != 1 || blocks[0] != i/blockRecords {
			t.Fatalf("serial %d: %v, %v", i, blocks, err)
		}
	}
	if blocks, err := s.Find("host 6"); err != nil || len(blocks) != 4 {
		t.Errorf("host 6: %v, %v", blocks, err)
	}
	if blocks, err := s.Find("nobody"); err != nil || len(blocks) != 0 {
		t.Errorf("nobody: %v, %v", blocks, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// The rows of a key may fill more than a part of the index, and each of several keys is found.
func TestFind_manyParts(t *testing.T) {
	const blocks = 7
	keys := []string{"one", "two", "three"}
	slices.SortFunc(keys, func(a, b string) int { return strings.Compare(hashText(a), hashText(b)) })
	rows := []indexRow{{hashOf(keys[0]), 0}}
	for i := range blocks {
		rows = append(rows, indexRow{hashOf(keys[1]), uint32(i)})
	}
	rows = append(rows, indexRow{hashOf(keys[2]), blocks - 1})
	s := &Segment{Manifest: Manifest{Data: make([]Part, blocks)}, offsets: make([]int64, blocks)}
	var file []byte
	for rows := range slices.Chunk(rows, 2) {
		s.offsets = append(s.offsets, int64(len(file)))
		block := encodeIndex(rows)
		file = append(file, block...)
		s.Index = append(s.Index, indexPart(block, rows))
	}
	s.r = bytes.NewReader(file)
	for _, tt := range []struct {
		keys []string
		want []int
	}{
		{keys[:1], []int{0}}, {keys[1:2], []int{0, 1, 2, 3, 4, 5, 6}}, {keys[2:], []int{6}}, {[]string{keys[2], keys[0]}, []int{0, 6}},
		{keys, []int{0, 1, 2, 3, 4, 5, 6}}, {[]string{"nobody"}, nil}, {[]string{"nobody", keys[2]}, []int{6}}, {nil, nil},
	} {
		if got, err := s.Find(tt.keys...); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%q: %v, %v, want %v", tt.keys, got, err, tt.want)
		}
	}
}

func hashText(key string) string { hash := hashOf(key); return string(hash[:]) }

// Whatever byte of a segment changes, it is found.
func TestCheck_everyByte(t *testing.T) {
	ca := newSigner(t)
	path := ca.make(t, 40)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		for _, flip := range []byte{1, 0x80} {
			changed := append([]byte{}, whole...)
			changed[i] ^= flip
			if err := os.WriteFile(path, changed, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Seal(path, ca.trusted)
			if _, ok := errors.AsType[*DamagedError](err); !ok {
				t.Fatalf("byte %d of %d: %v", i, len(whole), err)
			}
		}
	}
	for what, changed := range map[string][]byte{"cut": whole[:len(whole)-1], "longer": append(append([]byte{}, whole...), 0), "empty": nil, "twice": append(append([]byte{}, whole...), whole...)} {
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Seal(path, ca.trusted); err == nil {
			t.Errorf("%s: it is not found", what)
		}
	}
}

func TestSeal(t *testing.T) {
	ca := newSigner(t)
	path := ca.make(t, 4)
	sealed, err := Seal(path, ca.trusted)
	if err != nil || !sealed.Is(sealed.Segment().Digest()) || sealed.Is(make([]byte, 32)) {
		t.Fatal(err)
	}
	sealed.Segment().Close()
	if _, err := Seal(path, newSigner(t).trusted); err == nil || !strings.Contains(err.Error(), "not an authority of this ledger") {
		t.Errorf("of another authority: %v", err)
	}
	other := filepath.Join(filepath.Dir(path), "segment-000004-0011223344556677.kedge")
	if err := os.Rename(path, other); err != nil {
		t.Fatal(err)
	}
	if _, err := Seal(other, ca.trusted); err == nil || !strings.Contains(err.Error(), "its contents are those of segment-000003-") {
		t.Errorf("under another name: %v", err)
	}
	if _, err := Seal(path, ca.trusted); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

// A manifest that another key signed, with the certificate of the authority in it, is refused.
func TestOpen_signature(t *testing.T) {
	ca, thief := newSigner(t), newSigner(t)
	path, err := Create(t.TempDir(), &signer{ca.cert, thief.key}, func(w *Writer) (Manifest, error) { return Manifest{Number: 1}, w.Add(recordAt(1)) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "the signature of its manifest does not verify") {
		t.Errorf("%v", err)
	}
}

// A writer that fails, as a full disk does, leaves no file.
func TestCreate_fails(t *testing.T) {
	dir := t.TempDir()
	full := errors.New("no space left")
	for what, fill := range map[string]func(*Writer) (Manifest, error){
		"fill":  func(w *Writer) (Manifest, error) { return Manifest{}, errors.Join(w.Add(recordAt(1)), full) },
		"empty": func(*Writer) (Manifest, error) { return Manifest{}, nil },
		"order": func(w *Writer) (Manifest, error) {
			return Manifest{}, errors.Join(w.Add(recordAt(2)), w.Add(recordAt(1)))
		},
	} {
		if _, err := Create(dir, newSigner(t), fill); err == nil {
			t.Errorf("%s: no error", what)
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("%s left %v", what, left)
		}
	}
	if _, err := NewWriter(failing{full}); !errors.Is(err, full) {
		t.Error(err)
	}
}

type failing struct{ error }

func (f failing) Write([]byte) (int, error) { return 0, f.error }

func TestPath(t *testing.T) {
	if p, err := Path("d", "segment-1"); err != nil || p != filepath.Join("d", "segment-1") {
		t.Errorf("%q, %v", p, err)
	}
	for _, name := range []string{"", ".", "..", "../x", "a/b", "/etc/passwd"} {
		if p, err := Path("d", name); err == nil {
			t.Errorf("%q: %q", name, p)
		}
	}
}
