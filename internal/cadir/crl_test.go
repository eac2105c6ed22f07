package cadir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestCRL(t *testing.T) {
	t.Parallel()
	f := Folder{Dir: t.TempDir()}
	path := filepath.Join(f.Dir, "crl", "ca")
	if _, at, err := f.LastCRL("ca"); !errors.Is(err, fs.ErrNotExist) || at != path+".der" {
		t.Errorf("no list: %s, %v", at, err)
	}
	if _, err := f.WriteCRL("ca", false, nil, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	for range 2 {
		if err := f.MakeCRLFolder(); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		delta bool
		base  string
	}{{false, path}, {true, path + ".delta"}} {
		files, err := f.WriteCRL("ca", tt.delta, []byte(tt.base+" DER"), []byte(tt.base+" PEM"))
		if err != nil || files != (CRLFiles{PEM: tt.base + ".crl", DER: tt.base + ".der"}) || files != f.crlFiles("ca", tt.delta) {
			t.Fatalf("%+v, %v", files, err)
		}
		for file, kind := range map[string]string{files.PEM: " PEM", files.DER: " DER"} {
			if data, err := os.ReadFile(file); err != nil || string(data) != tt.base+kind {
				t.Errorf("%s holds %q, %v", file, data, err)
			}
		}
	}
	if der, at, err := f.LastCRL("ca"); err != nil || string(der) != path+" DER" || at != path+".der" {
		t.Errorf("%q at %s, %v", der, at, err)
	}
}
