package hostdir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// combine gives a folder without a pair the form without links.
func combine(t *testing.T, f *Folder) {
	t.Helper()
	if err := os.WriteFile(f.in(combinedName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Current(f.path); !errors.As(err, new(*FolderError)) {
		t.Errorf("an empty file: %v", err)
	}
	if err := os.WriteFile(f.in(combinedName), []byte("pair-41\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Where there are no links, one file has the pair in use, and the pair before stays.
func TestSwitch_combined(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "web-01"))
	combine(t, f)
	for i, name := range []string{"first", "second", "third"} {
		if err := f.Switch(pairFor(t, f.Enrollment(), name), Access{}); err != nil {
			t.Fatal(err)
		}
		p, err := f.Current()
		if err != nil || p.Leaf.Subject.CommonName != name {
			t.Fatalf("%+v, %v", p, err)
		}
		certificate, key := Files(f.path)
		data, err := os.ReadFile(certificate)
		if want := filepath.Base(filepath.Dir(p.KeyFile)) + "\n" + name + "\n-----BEGIN CERTIFICATE-----\n"; err != nil || key != certificate || !strings.HasPrefix(string(data), want) {
			t.Errorf("%s: %q, %v, want %q first", certificate, data, err, want)
		}
		itself, err := os.ReadFile(Itself(certificate))
		if err != nil || !strings.HasSuffix(string(data), string(itself)) || len(itself) < 100 {
			t.Errorf("%s has %q, %v", Itself(certificate), itself, err)
		}
		before, ok := Before(certificate)
		if ok != (i > 0) {
			t.Errorf("before %s is %q, %t", name, before, ok)
		}
		if text, err := os.ReadFile(before); ok && (err != nil || !strings.HasPrefix(string(text), []string{"", "first\n", "second\n"}[i])) {
			t.Errorf("%s: %v", before, err)
		}
		if dirs, err := List(filepath.Dir(f.path)); err != nil || len(dirs) != 1 {
			t.Errorf("the folders are %q, %v", dirs, err)
		}
	}
	if got := strings.Join(names(t, f.path), " "); got != "current.pem lock pair-43 pair-44" {
		t.Errorf("the folder has %s", got)
	}
	if err := f.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(f.path); !os.IsNotExist(err) {
		t.Errorf("the folder is there: %v", err)
	}
}

// A process that ends at any step leaves the old pair or the new one, and the next run goes on.
func TestSwitch_combinedStopped(t *testing.T) {
	stopped := errors.New("stopped")
	for n := 1; ; n++ {
		f := open(t, filepath.Join(t.TempDir(), "web-01"))
		combine(t, f)
		if err := f.Switch(pairFor(t, f.Enrollment(), "first"), Access{}); err != nil {
			t.Fatal(err)
		}
		next := pairFor(t, f.Enrollment(), "second")
		count := n
		f.Watch(func(string) error {
			if count--; count <= 0 {
				return stopped
			}
			return nil
		})
		err := f.Switch(next, Access{})
		f.Watch(nil)
		p, currentErr := f.Current()
		if currentErr != nil || p.Leaf.Subject.CommonName != "first" && p.Leaf.Subject.CommonName != "second" {
			t.Fatalf("stopped at %d: %+v, %v", n, p, currentErr)
		}
		if err == nil {
			if n < 6 {
				t.Errorf("there were only %d steps", n)
			}
			return
		}
		if err := f.Switch(pairFor(t, f.Enrollment(), "second"), Access{}); err != nil {
			t.Fatalf("after a stop at %d: %v", n, err)
		}
	}
}

func TestItself(t *testing.T) {
	f := open(t, filepath.Join(t.TempDir(), "web-01"))
	if err := f.Switch(pairFor(t, f.Enrollment(), "first"), Access{}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		f.in("current", KeyName): f.in("pair-1", KeyName), f.in("pair-1", KeyName): f.in("pair-1", KeyName), "/none/current/leaf.pem": "/none/current/leaf.pem",
		"tpm:handle=0x81000010": "tpm:handle=0x81000010", "--role-arn": "--role-arn", "": "",
	} {
		if got := Itself(path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}
