package localca

import (
	"crypto/tls"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"kedge/ca"
)

// TestMakeServerFile: key, certificate and root are in one file, which TLS servers read as it is.
func TestMakeServerFile(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	root := x.found()
	c := x.open()
	path := filepath.Join(t.TempDir(), "proxy.pem")
	f := ServerFile{Names: []string{"ca.example.com", "192.0.2.1"}, Path: path}
	issued, err := c.MakeServerFile(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(path, path)
	if err != nil || !pair.Leaf.Equal(issued.Certificate) || len(pair.Certificate) != 2 || string(pair.Certificate[1]) != string(root.Raw) {
		t.Errorf("%v, %v", pair.Leaf, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := c.MakeServerFile(t.Context(), f); !is[*ServerFileError](err) {
		t.Errorf("again: %v", err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.pem")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	f.Path, f.Replace = link, true
	if _, err := c.MakeServerFile(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	next, err := tls.LoadX509KeyPair(path, path)
	if err != nil || next.Leaf.Equal(pair.Leaf) || ca.SameKey(next.Leaf.PublicKey, pair.Leaf.PublicKey) {
		t.Errorf("not replaced: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestMakeServerFile_keeps: what is not the file of a server stays as it is, and nothing is issued.
func TestMakeServerFile_keeps(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	x.found()
	c := x.open()
	head, _, err := c.Ledger.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	caCert, err := os.ReadFile(x.path("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"empty": "", "text": "notes\n", "CA": string(caCert), "key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"cut": string(caCert[:len(caCert)/2]), "binary": "\x00\x01\x02",
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, replace := range []bool{false, true} {
			_, err := c.MakeServerFile(t.Context(), ServerFile{Names: []string{"a"}, Path: path, Replace: replace})
			if after, readErr := os.ReadFile(path); !is[*ServerFileError](err) || readErr != nil || string(after) != content {
				t.Errorf("%s, replace %v: %v, %q, %v", name, replace, err, after, readErr)
			}
		}
	}
	folder := t.TempDir()
	if _, err := c.MakeServerFile(t.Context(), ServerFile{Names: []string{"a"}, Path: folder, Replace: true}); err == nil {
		t.Error("a folder is replaced")
	}
	if _, err := c.MakeServerFile(t.Context(), ServerFile{Names: []string{"*.a"}, Path: filepath.Join(folder, "x")}); err == nil {
		t.Error("a wildcard is issued")
	}
	if _, err := os.Stat(filepath.Join(folder, "x")); !is[*fs.PathError](err) {
		t.Errorf("a file is left: %v", err)
	}
	if after, _, err := c.Ledger.Head(t.Context()); err != nil || after != head {
		t.Errorf("the ledger has grown: %v, %v", after, err)
	}
}
