package cabackup

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/internal/localca"
	"kedge/internal/testenv"
)

// TestRestore: a CA comes back from its backup with the same files, its key and a ledger that is whole; what is no
// file of a CA stays where it is, and is named.
func TestRestore(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	x.write("ca/password", "of the key")
	x.write("ca/other.key", "of a host")
	x.write("ca/kedge-ca.yaml", "crl: {valid: 48h}\n")
	data := x.whole()
	checked, err := Check(t.Context(), x.backup(data), x.Config)
	if err != nil {
		t.Fatal(err)
	}
	if a := checked.Authorities[0]; a.Name != "ca" || a.Key != Plain || len(a.Fingerprint) != 64 || checked.Certificates != 1 {
		t.Errorf("checked: %+v", checked)
	}
	if want := []string{"other.key", "password"}; !slices.Equal(checked.NotIncluded, want) {
		t.Errorf("not included: %q", checked.NotIncluded)
	}
	if _, err := x.restore(data); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ca.pem", "ca.key", "kedge-ca.yaml"} {
		if !bytes.Equal(x.read("ca/"+name), x.read("new/"+name)) {
			t.Errorf("%s is not what it was", name)
		}
	}
	if got, want := x.names("new"), []string{"ca.key", "ca.pem", "crl", "kedge-ca.yaml", "ledger.db"}; !slices.Equal(got, want) {
		t.Errorf("restored: %q", got)
	}
	restored, err := localca.Open(t.Context(), at(x.Config, x.path("new")), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	if _, err := restored.Verify(t.Context(), ledger.VerifyOptions{Head: checked.Head}); err != nil {
		t.Error(err)
	}
	if _, err := restored.Authority(t.Context(), ""); err != nil {
		t.Error(err)
	}
}

// TestCreate_noPassword: no file with a password is in a backup, whatever its name in the folder.
func TestCreate_noPassword(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	const secret = "correct horse"
	for _, name := range []string{"password", "ca.pass", "ca.key.password", "crl.key", "ledger.key"} {
		x.write("ca/"+name, secret)
	}
	plain, err := age.Decrypt(bytes.NewReader(x.whole()), x.identity)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := io.ReadAll(plain); err != nil || bytes.Contains(all, []byte(secret)) {
		t.Errorf("the password is in the backup, %v", err)
	}
}

// TestCreate_damaged: of a ledger that was changed no backup is made.
func TestCreate_damaged(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	data := x.read("ca/ledger.db")
	changed := bytes.ReplaceAll(data, []byte("CN=root"), []byte("CN=toot"))
	if bytes.Equal(changed, data) {
		t.Fatal("nothing was changed")
	}
	x.write("ca/ledger.db", string(changed))
	_, err := x.create("ca.age")
	if _, ok := errors.AsType[*ledger.DamagedError](err); !ok {
		t.Errorf("a ledger that was changed: %v", err)
	}
	if names := x.names("."); !slices.Equal(names, []string{"ca"}) {
		t.Errorf("left: %q", names)
	}
}

// TestCreate_otherCA: a folder with the ledger of another CA is not backed up as one.
func TestCreate_otherCA(t *testing.T) {
	t.Parallel()
	x, other := newTestCA(t), newTestCA(t)
	x.write("ca/kedge-ca.yaml", "ledger: "+other.path("ca/ledger.db")+"\n")
	_, err := x.create("ca.age")
	if e, ok := errors.AsType[*FileError](err); !ok || e.Kind != Mixed || !strings.HasPrefix(err.Error(), "the backup is not of one CA: ") {
		t.Errorf("the ledger of another CA: %v", err)
	}
}

// TestCreate_taken: nothing is overwritten.
func TestCreate_taken(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	x.write("ca.age", "mine")
	if _, err := x.create("ca.age"); !errors.Is(err, fs.ErrExist) || string(x.read("ca.age")) != "mine" {
		t.Errorf("over a file: %v", err)
	}
	if _, err := Restore(t.Context(), x.backup(x.whole()), x.Config); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a folder: %v", err)
	}
}

// TestRestore_damaged: a backup that was cut short or changed at any place, and one for another key, restores nothing.
func TestRestore_damaged(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	data := x.whole()
	before := x.names(".")
	refused := func(what string, data []byte, kinds ...Kind) {
		t.Helper()
		_, err := x.restore(data)
		if e, ok := errors.AsType[*FileError](err); !ok || !slices.Contains(kinds, e.Kind) || !strings.HasPrefix(err.Error(), "ca.age ") {
			t.Errorf("%s: %v", what, err)
		}
		if names := x.names("."); !slices.Equal(names, before) {
			t.Fatalf("%s: left %q", what, names)
		}
	}
	for _, n := range []int{0, 10, 50, 150, 1000, len(data) / 2, len(data) - 1} {
		refused("cut short", data[:n], Damaged, Foreign)
		changed := slices.Clone(data)
		changed[n] ^= 1
		refused("changed", changed, Damaged, Foreign, NotForUs)
	}
	refused("longer", append(slices.Clone(data), 0), Damaged)
	var err error
	if x.identity, err = age.GenerateX25519Identity(); err != nil {
		t.Fatal(err)
	}
	refused("for another key", data, NotForUs)
}

// entry is a file in an archive made for a test.
type entry struct{ name, data string }

// sealed returns an encrypted archive.
func (x *testCA) sealed(entries ...entry) []byte {
	x.Helper()
	var file bytes.Buffer
	w, err := age.Encrypt(&file, x.to.all...)
	if err != nil {
		x.Fatal(err)
	}
	archive := tar.NewWriter(w)
	for _, e := range entries {
		if err := archive.WriteHeader(&tar.Header{Name: e.name, Size: int64(len(e.data)), Mode: 0o777, Typeflag: tar.TypeReg}); err != nil {
			x.Fatal(err)
		}
		if _, err := archive.Write([]byte(e.data)); err != nil {
			x.Fatal(err)
		}
	}
	if err := errors.Join(archive.Close(), w.Close()); err != nil {
		x.Fatal(err)
	}
	return file.Bytes()
}

// unsealed returns the files in a backup.
func (x *testCA) unsealed(data []byte) (all []entry) {
	x.Helper()
	plain, err := age.Decrypt(bytes.NewReader(data), x.identity)
	if err != nil {
		x.Fatal(err)
	}
	for archive := tar.NewReader(plain); ; {
		header, err := archive.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			x.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			x.Fatal(err)
		}
		all = append(all, entry{header.Name, string(content)})
	}
}

// TestRestore_hostile: anybody with the public key can make a file that decrypts; it makes no files but those
// of a CA.
func TestRestore_hostile(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	manifest := func(names ...string) entry {
		m := Manifest{Format: format, Files: names}
		data, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		return entry{manifestName, string(data)}
	}
	before := x.names(".")
	for _, tt := range []struct {
		want    Kind
		entries []entry
	}{
		{Foreign, nil},
		{Foreign, []entry{{"ledger.db", "x"}}},
		{Foreign, []entry{{manifestName, "{}"}}},
		{Newer, []entry{{manifestName, `{"format": 99}`}}},
		{Mixed, []entry{manifest("ledger.db")}},
		{Mixed, []entry{manifest(), {"ca.pem", "x"}}},
		{Mixed, []entry{manifest("ca.pem"), {"ca.pem", "x"}}},
		{Foreign, []entry{manifest("ca.pem"), {"ca.pem", "x"}, {"ca.pem", "y"}}},
		{Foreign, []entry{manifest("../ca.pem"), {"../ca.pem", "x"}}},
		{Foreign, []entry{manifest("/etc/ca.pem"), {"/etc/ca.pem", "x"}}},
		{Foreign, []entry{manifest("crl/../../ca.pem"), {"crl/../../ca.pem", "x"}}},
		{Foreign, []entry{manifest("hook"), {"hook", "x"}}},
		{Foreign, []entry{manifest(".ca.pem"), {".ca.pem", "x"}}},
		{Foreign, []entry{manifest("archive/ca.key"), {"archive/ca.key", "x"}}},
		{Foreign, []entry{manifest(`..\ca.pem`), {`..\ca.pem`, "x"}}},
	} {
		_, err := x.restore(x.sealed(tt.entries...))
		if e, ok := errors.AsType[*FileError](err); !ok || e.Kind != tt.want {
			t.Errorf("%q: %v", tt.entries, err)
		}
		if names := x.names("."); !slices.Equal(names, before) {
			t.Fatalf("%q: left %q", tt.entries, names)
		}
	}
}

// TestCheck_forged: a manifest of another CA does not make a backup look like one of that CA.
func TestCheck_forged(t *testing.T) {
	t.Parallel()
	x, stranger := newTestCA(t), newTestCA(t)
	own, err := x.create("own.age")
	if err != nil {
		t.Fatal(err)
	}
	var entries []entry
	for _, e := range stranger.unsealed(stranger.whole()) {
		if e.name == manifestName {
			stated, err := decodeManifest([]byte(e.data))
			if err != nil {
				t.Fatal(err)
			}
			stated.Authorities = own.Authorities
			data, err := stated.encode()
			if err != nil {
				t.Fatal(err)
			}
			e.data = string(data)
		}
		entries = append(entries, e)
	}
	forged := x.sealed(entries...)
	checked, err := Check(t.Context(), x.backup(forged), x.Config)
	if err != nil {
		t.Fatal(err)
	}
	restored, err := x.restore(forged)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range [][]Authority{checked.Authorities, restored.Authorities} {
		if len(got) != 1 || got[0].Fingerprint == own.Authorities[0].Fingerprint || got[0].Key != Plain {
			t.Errorf("the authorities of a forged backup: %+v", got)
		}
	}
}

// TestRestore_elsewhere: if the ledger belongs outside the folder, nothing is changed there; the folder has a copy.
func TestRestore_elsewhere(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	outside := x.path("outside.db")
	if err := os.Rename(x.path("ca/ledger.db"), outside); err != nil {
		t.Fatal(err)
	}
	x.write("ca/kedge-ca.yaml", "ledger: "+outside+"\n")
	data := x.whole()
	if err := os.Remove(outside); err != nil {
		t.Fatal(err)
	}
	r, err := x.restore(data)
	if err != nil || r.LedgerBackup != x.path("new/ledger-backup.db") {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := os.Lstat(outside); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("outside: %v", err)
	}
	plan, err := localca.PlanRestore(t.Context(), at(x.Config, x.path("new")), r.LedgerBackup, false)
	if err == nil {
		err = plan.Restore(t.Context(), "")
	}
	if err != nil {
		t.Error(err)
	}
	if isInside("../ledger.db") || isInside("env:LEDGER") || isInside("postgres://h/d") || !isInside("db/ledger.db") {
		t.Error("isInside")
	}
}

// TestUnpack_sparse: a small archive does not become a large file.
func TestUnpack_sparse(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	x.write("backup.json", `{"format": 1, "files": ["ledger.db"]}`)
	x.write("ledger.db", "")
	if err := os.Truncate(x.path("ledger.db"), 1<<20); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(testenv.Tool(t, "tar"), "--create", "--sparse", "--format=posix", "--blocking-factor=1", manifestName, ledgerName)
	cmd.Dir = x.dir
	data, err := cmd.Output()
	if err != nil || len(data) > 1<<16 {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	dir, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	_, err = unpack(t.Context(), bytes.NewReader(data), dir)
	if e, ok := errors.AsType[*FileError](err); !ok || e.Kind != Foreign {
		t.Errorf("a sparse file: %v", err)
	}
	if _, err := dir.Stat(ledgerName); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it was unpacked: %v", err)
	}
}

// TestKeys: what is no key of age is refused, without its text, which may be a secret.
func TestKeys(t *testing.T) {
	t.Parallel()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	quantum, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	secret, public := identity.String(), identity.Recipient().String()
	for text, want := range map[string]string{
		secret: "this is a secret key", strings.ToLower(secret): "this is a secret key", "ssh-ed25519 AAAA": "not a public key of age", public[:40]: "misspelled",
		quantum.Recipient().String(): "either to post-quantum keys",
	} {
		r := Recipients{all: []age.Recipient{identity.Recipient()}}
		err := r.AddFile("keys", []byte("# a comment\n\n"+text+"\n"))
		if e, ok := errors.AsType[*KeyError](err); !ok || e.Where != "keys:3" || !strings.Contains(e.Problem, want) || strings.Contains(err.Error(), text) {
			t.Errorf("%.8s…: %v", text, err)
		}
	}
	for text, want := range map[string]string{
		"": "no secret key in it", public: "this is a public key", secret[:40]: "misspelled", "x" + secret: "not a secret key", armorHead: "it is encrypted", fileHead: "it is encrypted",
	} {
		_, err := ParseIdentities("keys", []byte(text))
		if e, ok := errors.AsType[*KeyError](err); !ok || !strings.Contains(e.Problem, want) || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%.8s…: %v", text, err)
		}
	}
	if all, err := ParseIdentities("keys", []byte("# created\n"+secret+"\n"+quantum.String()+"\n")); err != nil || len(all) != 2 {
		t.Errorf("%d identities, %v", len(all), err)
	}
}

// FuzzUnpack: whatever an archive has, files are made only with names that a backup may have.
func FuzzUnpack(f *testing.F) {
	var good bytes.Buffer
	m := &Manifest{Format: format, Files: []string{ledgerName, "ca.pem"}}
	if err := writeArchive(&good, m, []item{{name: ledgerName, data: []byte("x")}, {name: "ca.pem", data: []byte("y")}}); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		parent := t.TempDir()
		if err := os.Mkdir(parent+"/in", 0o700); err != nil {
			t.Fatal(err)
		}
		dir, err := os.OpenRoot(parent + "/in")
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		u, err := unpack(t.Context(), bytes.NewReader(data), dir)
		if err == nil && !slices.Contains(u.names, ledgerName) {
			t.Error("there is no ledger")
		}
		err = fs.WalkDir(os.DirFS(parent), ".", func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && !allowed(strings.TrimPrefix(path, "in/")) {
				t.Errorf("it made %s", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// TestAllowed: a backup takes the files of a CA.
func TestAllowed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{cadir.SettingsName, cadir.AWSName, "ca.pem", "ca.key", "my ca.key-uri", "i.csr", "crl/ca.crl", "crl/ca.delta.der", "archive/segment-000001-0011223344556677.kedge"} {
		if !allowed(name) {
			t.Errorf("%s is not allowed", name)
		}
	}
}
