package localca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/internal/cadir"
	"kedge/internal/hostfiles"
	"kedge/internal/takeover"
)

// told collects what the steps of a CA tell, in order.
func (x *testCA) told() *[]string {
	var all []string
	x.Done = func(text string) { all = append(all, text) }
	x.Warn = func(text string) { all = append(all, "warning: "+text) }
	return &all
}

func newKey() (crypto.Signer, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return key, der, err
}

func plainKey() cadir.KeyRequest {
	return cadir.KeyRequest{Generate: newKey, Password: func(string) ([]byte, []string, error) { return nil, nil, nil }}
}

func (x *testCA) make(name string) *x509.Certificate {
	x.Helper()
	cert, err := Make(x.Context(), x.Config, authorityConfig(name, -1), plainKey())
	if err != nil {
		x.Fatal(err)
	}
	return cert
}

// contains reports whether the texts that are wanted are in all, in this order.
func contains(all []string, want ...string) bool {
	for _, text := range all {
		if len(want) > 0 && strings.Contains(text, want[0]) {
			want = want[1:]
		}
	}
	return len(want) == 0
}

var errNo = errors.New("no")

// TestMake: nothing is left of a CA whose key gets no password, and the root is told last.
func TestMake(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	told := x.told()
	noPassword := plainKey()
	noPassword.Password = func(path string) ([]byte, []string, error) {
		if path != x.path("ca.key") {
			t.Errorf("the password of %s", path)
		}
		return nil, nil, errNo
	}
	if _, err := Make(t.Context(), x.Config, authorityConfig("root", -1), noPassword); !errors.Is(err, errNo) {
		t.Error(err)
	}
	if there, err := os.ReadDir(x.dir); err != nil || len(there) > 0 || len(*told) > 0 {
		t.Errorf("%v, %v, %q", there, err, *told)
	}
	x.make("root")
	if !contains(*told, `made the CA "root", valid until`, "ca.key is its key", "warning: "+x.path("ca.key")+" is not encrypted", "ca.pem is its certificate: register it") {
		t.Errorf("%q", *told)
	}
	if _, err := Make(t.Context(), x.Config, authorityConfig("root", -1), plainKey()); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
}

// TestRotationSteps: each step reports what it did, reports that when it is run again, and does nothing when the
// user does not agree.
func TestRotationSteps(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	told := x.told()
	x.make("root")
	c := x.open()
	yes := func(string) error { return nil }
	no := func(string) error { return errNo }
	ofType := ""
	start := RotationStart{Root: issuance.RootOptions{CommonName: "root 2"}, Key: func(old string) (cadir.KeyRequest, error) {
		ofType = old
		return plainKey(), nil
	}}
	for _, tt := range []struct {
		name string
		step func() error
		err  error // nil: none
		want []string
	}{
		{"start", func() error { return c.StartRotation(t.Context(), start) }, nil, []string{`made the root "root 2"`, "is its key", "not encrypted", `has "ca" and "ca-2" now`, "x509Issuer/CN"}},
		{"started", func() error { return c.StartRotation(t.Context(), start) }, nil, []string{`the rotation to "ca-2" is started already`}},
		{"switch refused", func() error { return c.SwitchRotation(t.Context(), "", no) }, errNo, nil},
		{"switch", func() error { return c.SwitchRotation(t.Context(), "", yes) }, nil, []string{`"ca-2" issues from now on`}},
		{"switched", func() error { return c.SwitchRotation(t.Context(), "", no) }, nil, []string{`"ca-2" issues from now on`}},
		{"finish", func() error { return c.FinishRotation(t.Context(), no) }, nil, []string{`retired "ca": update the trust anchor`}}, // no host needs it
		{"finished", func() error { return c.FinishRotation(t.Context(), no) }, nil, []string{`the rotation to "ca-2" is finished already`}},
		{"reopen", func() error { return c.ReopenRotation(t.Context()) }, nil, []string{`active again: ca; "ca-2" issues as before`, "needs both roots again"}},
		{"reopened", func() error { return c.ReopenRotation(t.Context()) }, nil, []string{`the rotation from "ca" to "ca-2" is not finished`}},
	} {
		*told = nil
		if err := tt.step(); !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if !contains(*told, tt.want...) || len(*told) > len(tt.want) {
			t.Errorf("%s: %q", tt.name, *told)
		}
	}
	if ofType != "ECDSA P-256" && ofType != "P-256" {
		t.Errorf("the old key is %q", ofType)
	}
	if err := c.AbortRotation(t.Context(), yes); err == nil {
		t.Error("a rotation was aborted after the switch")
	}
}

// TestStartRotation_foreign: a root whose key is elsewhere is taken in, and nothing else is.
func TestStartRotation_foreign(t *testing.T) {
	t.Parallel()
	x, other := newTestCA(t), newTestCA(t)
	told := x.told()
	x.make("root")
	other.make("root 2")
	below := other.open()
	if _, err := below.MakeIntermediate(t.Context(), Intermediate{Name: "sub", Config: authorityConfig("sub", 0), Keys: other.Keys, Key: plainKey()}); err != nil {
		t.Fatal(err)
	}
	c := x.open()
	for file, want := range map[string]string{
		other.path("none.pem"): "no such file",
		other.path("sub.pem"):  "is not a root: ",
		x.path("ca.pem"):       `is the root "ca" of this CA already`,
		other.path("ca.key"):   "ca.key: ",
	} {
		if err := c.StartRotation(t.Context(), RotationStart{Foreign: file}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
	*told = nil
	if err := c.StartRotation(t.Context(), RotationStart{Foreign: other.path("ca.pem")}); err != nil || !contains(*told, `took in the root "root 2"`, `"ca-2" now`) {
		t.Errorf("%v, %q", err, *told)
	}
}

// TestIntermediate_offline: a request made here is answered elsewhere, once, and its certificate is taken
// in here.
func TestIntermediate_offline(t *testing.T) {
	t.Parallel()
	parent, x := newTestCA(t), newTestCA(t)
	told := x.told()
	parent.make("root")
	i := Intermediate{Name: "sub", Config: authorityConfig("sub", 0), Keys: x.Keys, Key: plainKey()}
	made, err := RequestIntermediate(t.Context(), x.Config, i)
	if err != nil || made.Request != x.path("sub.csr") || made.Key != x.path("sub.key") || made.Subject != "CN=sub" {
		t.Fatalf("%+v, %v", made, err)
	}
	if _, err := RequestIntermediate(t.Context(), x.Config, i); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a request was overwritten: %v", err)
	}
	data, err := os.ReadFile(made.Request)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := ca.ParseAuthorityCSR(data)
	if err != nil {
		t.Fatal(err)
	}
	signer := parent.open()
	i.Config.Subject.CommonName = "" // that of the request counts
	one, err := signer.SignIntermediate(t.Context(), i, csr, false, x.path("sub-from-parent.pem"))
	if err != nil || one.Subject.CommonName != "sub" {
		t.Fatal(one, err)
	}
	if again, err := signer.SignIntermediate(t.Context(), i, csr, false, ""); err != nil || !again.Equal(one) {
		t.Errorf("another certificate for the same request: %v", err)
	}
	_, err = signer.SignIntermediate(t.Context(), i, csr, true, x.path("sub-from-parent.pem"))
	if unwritten, ok := errors.AsType[*UnwrittenError](err); !ok || unwritten.Serial == "" || !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file is there: %v", err)
	}
	files := PathFiles{Certificate: x.path("sub-from-parent.pem"), Root: parent.path("ca.pem")}
	a, err := TakeInIntermediate(t.Context(), x.Config, i, files)
	if err != nil || !a.Issuing || !contains(*told, "made "+x.path("sub.csr"), `took in the intermediate CA "sub"`, `"sub" issues from now on`) {
		t.Errorf("%+v, %v, %q", a, err, *told)
	}
}

// TestMakeIntermediate_offlineParent: the error names the parent whose key is elsewhere.
func TestMakeIntermediate_offlineParent(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	x.make("root")
	x.remove("ca.key")
	c := x.open()
	_, err := c.MakeIntermediate(t.Context(), Intermediate{Name: "sub", Config: authorityConfig("sub", 0), Keys: x.Keys, Key: plainKey()})
	if offline, ok := errors.AsType[*OfflineParentError](err); !ok || offline.Parent != "ca" {
		t.Error(err)
	}
	if _, err := os.Lstat(x.path("sub.key")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a key was left: %v", err)
	}
}

// TestTakeInIntermediate_refuses: what is no path of this key is refused, before anything is written.
func TestTakeInIntermediate_refuses(t *testing.T) {
	t.Parallel()
	parent, x := newTestCA(t), newTestCA(t)
	parent.make("root")
	signer := parent.open()
	own := Intermediate{Name: "sub", Config: authorityConfig("sub", 0), Keys: parent.Keys, Key: plainKey()}
	if _, err := signer.MakeIntermediate(t.Context(), own); err != nil {
		t.Fatal(err)
	}
	sub, root, none := parent.path("sub.pem"), parent.path("ca.pem"), parent.path("none.pem")
	i := Intermediate{Name: "sub", Config: own.Config, Keys: x.Keys, Key: plainKey()}
	if _, err := RequestIntermediate(t.Context(), x.Config, i); err != nil { // another key
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string // of the authority
		files PathFiles
		want  string
	}{
		{"../sub", PathFiles{Certificate: sub, Root: root}, "cannot be that of files"},
		{"nokey", PathFiles{Certificate: sub, Root: root}, "nokey.key"},
		{"sub", PathFiles{Certificate: none, Root: root}, "no such file"},
		{"sub", PathFiles{Certificate: sub, Root: sub}, "is not a root: "},
		{"sub", PathFiles{Certificate: root, Root: root}, "is a root; give the certificate of the intermediate"},
		{"sub", PathFiles{Certificate: sub, Chain: []string{none}, Root: root}, "no such file"},
		{"sub", PathFiles{Certificate: parent.path("sub.key"), Root: root}, "sub.key: "},
		{"sub", PathFiles{Certificate: "-", Root: root, Stdin: strings.NewReader("no certificate")}, "-: "},
		{"sub", PathFiles{Certificate: sub, Root: root}, "sub.key"}, // the key of another
	} {
		i.Name = tt.name
		if _, err := TakeInIntermediate(t.Context(), x.Config, i, tt.files); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, %+v: %v", tt.name, tt.files, err)
		}
	}
	if _, err := os.Lstat(x.path("ledger.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a ledger was made: %v", err)
	}
}

// TestAdopt: a root is taken over with its key, and what is no root of that key is not.
func TestAdopt(t *testing.T) {
	t.Parallel()
	from := newTestCA(t)
	root := from.make("root")
	c := from.open()
	if _, err := c.MakeIntermediate(t.Context(), Intermediate{Name: "sub", Config: authorityConfig("sub", 0), Keys: from.Keys, Key: plainKey()}); err != nil {
		t.Fatal(err)
	}
	list := PastRequest{Sources: takeover.Sources{Paths: []string{from.path("none.pem")}, Now: time.Now()}}
	for _, tt := range []struct {
		name, cert, key string // files of the folder that it is taken from
		past            PastRequest
		want            string // of the error; empty: it is taken over
	}{
		{"nothing", "", "", PastRequest{}, "ca.pem"},
		{"no key", "ca.pem", "", PastRequest{}, "ca.key"},
		{"a key for a certificate", "ca.key", "ca.key", PastRequest{}, "ca.pem: "},
		{"an intermediate", "sub.pem", "sub.key", PastRequest{}, "is not a root"},
		{"the key of another", "ca.pem", "sub.key", PastRequest{}, "ca.key"},
		{"a past that is not there", "ca.pem", "ca.key", list, "none.pem"},
		{"all", "ca.pem", "ca.key", PastRequest{}, ""},
		{"all, and no past", "ca.pem", "ca.key", PastRequest{Complete: true}, ""},
	} {
		x := newTestCA(t)
		told := x.told()
		x.copyFrom(from, tt.cert, "ca.pem")
		x.copyFrom(from, tt.key, "ca.key")
		cert, taken, err := Adopt(t.Context(), x.Config, Adoption{Key: plainKey(), Past: tt.past})
		_, ledgerErr := os.Lstat(x.path("ledger.db"))
		switch {
		case tt.want != "":
			if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.Is(ledgerErr, fs.ErrNotExist) {
				t.Errorf("%s: %v; the ledger: %v", tt.name, err, ledgerErr)
			}
		case err != nil || !cert.Equal(root) || (taken != nil) != tt.past.Complete:
			t.Errorf("%s: %+v, %v", tt.name, taken, err)
		case !contains(*told, `took over the CA "CN=root"`, "ca.pem is its certificate") || contains(*told, "is not in the ledger") == tt.past.Complete:
			t.Errorf("%s: %q", tt.name, *told)
		}
	}
}

func (x *testCA) copyFrom(from *testCA, name, to string) {
	x.Helper()
	if name == "" {
		return
	}
	data, err := os.ReadFile(from.path(name))
	if err == nil {
		err = os.WriteFile(x.path(to), data, 0o600)
	}
	if err != nil {
		x.Fatal(err)
	}
}

// TestRenewAuthority: it asks when the authority would end sooner, and the copy of the certificate is the
// new one.
func TestRenewAuthority(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	told := x.told()
	old := x.make("root")
	c := x.open()
	var questions []string
	no := func(question string) error {
		questions = append(questions, question)
		return errNo
	}
	if _, err := c.RenewAuthority(t.Context(), "ca", ca.Renewal{Lifetime: 30 * 24 * time.Hour}, no); !errors.Is(err, errNo) || len(questions) != 1 || !strings.Contains(questions[0], `end the authority "ca" at`) {
		t.Errorf("%v, %q", err, questions)
	}
	*told = nil
	issued, err := c.RenewAuthority(t.Context(), "ca", ca.Renewal{Lifetime: 400 * 24 * time.Hour, Why: "it is time"}, no)
	if err != nil || len(questions) != 1 || !issued.Certificate.NotAfter.After(old.NotAfter) || issued.Why != "it is time" {
		t.Fatalf("%v, %q", err, questions)
	}
	if !contains(*told, `renewed the authority "ca", serial `, "register "+x.path("ca.pem")) {
		t.Errorf("%q", *told)
	}
	if data, err := os.ReadFile(x.path("ca.pem")); err != nil || !slices.Equal(data, hostfiles.CertificatePEM(issued.Certificate)) {
		t.Errorf("ca.pem: %v", err)
	}
}
