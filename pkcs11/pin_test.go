package pkcs11

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"kedge/internal/testenv"
)

// asker is a PINFunc that gives its PINs one after the other, the last one for ever, and keeps
// what it was asked.
type asker struct {
	mu    sync.Mutex
	pins  []string
	asked []PINInfo
}

func (a *asker) ask(info PINInfo) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	pin := a.pins[min(len(a.asked), len(a.pins)-1)]
	a.asked = append(a.asked, info)
	return []byte(pin), nil
}

// TestWrongPIN: twenty goroutines with a wrong PIN cost the token one try, as its own counter
// and the module's log show.
func TestWrongPIN(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	log := filepath.Join(t.TempDir(), "log")
	o := shim(t, h, "SHIM_LOG="+log)
	person := &asker{pins: []string{"9999"}}
	o.PIN = person.ask
	m := load(t, h, o)
	for range 2 {
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				_, err := m.Key(t.Context(), parse(t, "pkcs11:token=t;object=k"), nil)
				var wrong *PINError
				if !errors.As(err, &wrong) || wrong.Token != "t" || wrong.Retries != RetriesLow {
					t.Errorf("wrong PIN: %v", err)
				}
			})
		}
		wg.Wait()
		if n := count(t, log, "login"); n != 1 {
			t.Fatalf("tried %d times", n)
		}
	}
	_, err := m.Key(t.Context(), parse(t, "pkcs11:token=t;object=k?pin-value=9999"), nil)
	if err == nil || !strings.Contains(err.Error(), "was not tried again; few tries are left") || count(t, log, "login") != 1 {
		t.Errorf("the same from elsewhere: %v", err)
	}
	if person.asked[0].Retries != RetriesUnknown || person.asked[1].Retries != RetriesLow || person.asked[0].Token != "t" || person.asked[0].Key != "" {
		t.Errorf("asked %+v", person.asked[:2])
	}
	// The right one still is.
	signs(t, open(t, m, "pkcs11:token=t;object=k?pin-value=1234"))
	if n := count(t, log, "login"); n != 2 {
		t.Errorf("tried %d times", n)
	}
}

func TestPINState(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	for _, c := range []struct {
		flags, uri, pin string
		wantErr         string
		want            Retries // that the person is told
	}{
		{"0x00010000", "pkcs11:object=k", "1234", "", RetriesLow},
		{"0x00030000", "pkcs11:object=k", "1234", "", RetriesOne},
		{"0x00020000", "pkcs11:object=k", "12345", "C_Login: CKR_PIN_INCORRECT; one try is left, then the token locks", RetriesOne},
		{"0x00040000", "pkcs11:object=k", "1234", `PIN of token "t": was not tried; the PIN is locked`, -1},
		{"0", "pkcs11:object=k", "", `PIN of token "t": is empty, and was not tried`, RetriesLow},
		{"0", "pkcs11:object=k", "1", "CKR_PIN_", RetriesLow},
	} {
		person := &asker{pins: []string{c.pin}}
		log := filepath.Join(t.TempDir(), "log")
		o := shim(t, h, "SHIM_FLAGS="+c.flags, "SHIM_LOG="+log)
		o.PIN = person.ask
		m := load(t, h, o)
		_, err := m.Key(t.Context(), parse(t, c.uri), nil)
		if (err == nil) != (c.wantErr == "") || err != nil && !strings.Contains(err.Error(), c.wantErr) {
			t.Errorf("flags %s, PIN %q: %v, want %s", c.flags, c.pin, err, c.wantErr)
		}
		tries := 1
		if strings.Contains(c.wantErr, "not tried") {
			tries = 0
		}
		if n := count(t, log, "login"); n != tries {
			t.Errorf("flags %s, PIN %q: tried %d times", c.flags, c.pin, n)
		}
		if c.want < 0 != (len(person.asked) == 0) || len(person.asked) > 0 && person.asked[0].Retries != c.want {
			t.Errorf("flags %s, PIN %q: asked %+v", c.flags, c.pin, person.asked)
		}
		m.Close()
	}
}

// TestSpareLast: a program that only examines a key does not spend the last try, even with the right PIN.
func TestSpareLast(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	for flags, tried := range map[string]int{"0x00010000": 1, "0x00020000": 0} {
		log := filepath.Join(t.TempDir(), "log")
		o := shim(t, h, "SHIM_FLAGS="+flags, "SHIM_LOG="+log)
		o.SpareLast = true
		m := load(t, h, o)
		_, err := m.Key(t.Context(), parse(t, "pkcs11:object=k?pin-value=1234"), nil)
		refused, _ := errors.AsType[*PINError](err)
		if n := count(t, log, "login"); n != tried || (tried == 0) != (refused != nil && refused.Retries == RetriesOne) {
			t.Errorf("flags %s: tried %d times, %v", flags, n, err)
		}
		m.Close()
	}
}

func TestPINSources(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	lf, crlf, long := file("a pin", "1234\n"), file("crlf", "1234\r\nmore\n"), file("long", strings.Repeat("1", maxPIN+1))
	none := func(PINInfo) ([]byte, error) { return nil, ErrPINRequired }
	own := errors.New("nobody is there to ask")
	for _, c := range []struct {
		name, query string
		o           Options
		want        string
	}{
		{"pin-value", "pin-value=1234", Options{}, ""},
		{"encoded pin-value", "pin-value=%31%32%33%34", Options{}, ""},
		{"file URI", "pin-source=file:" + strings.ReplaceAll(lf, " ", "%2520"), Options{}, ""},
		{"file URI with host", "pin-source=file://localhost" + crlf, Options{}, ""},
		{"file URI with empty host", "pin-source=file://" + crlf, Options{}, ""},
		{"path", "pin-source=" + strings.ReplaceAll(lf, " ", "%20"), Options{}, ""},
		{"file elsewhere", "pin-source=file://example.com/pin", Options{}, "another machine, example.com"},
		{"relative file URI", "pin-source=file:pin", Options{}, "neither an absolute path nor"},
		{"relative path", "pin-source=pin", Options{}, "neither an absolute path nor"},
		{"missing file", "pin-source=" + dir + "/none", Options{}, dir + "/none: no such file"},
		{"long file", "pin-source=" + long, Options{}, long + " is larger than 4 KiB"},
		{"folder", "pin-source=" + strings.ReplaceAll(dir, " ", "%20"), Options{}, dir + " is a folder, not a file"},
		{"device", "pin-source=/dev/zero", Options{}, "/dev/zero is a device, not a file"},
		{"byte order mark", "pin-source=" + file("mark", "\xef\xbb\xbf1234\n"), Options{}, ""},
		{"UTF-16", "pin-source=" + file("utf16", "1\x002\x003\x004\x00"), Options{}, "utf16: it is UTF-16 text; save it as UTF-8"},
		{"command", "pin-source=|echo%201234", Options{PINCommands: true}, ""},
		{"command with encoded bar", "pin-source=%7Cecho%201234", Options{PINCommands: true}, ""},
		{"command that is not allowed", "pin-source=|echo%201234", Options{}, "is a command, which is not allowed here"},
		{"command that fails", "pin-source=|exit%203", Options{PINCommands: true}, "run the command: exit status 3"},
		{"nobody to ask", "", Options{PIN: none}, "the token wants a PIN"},
		{"error of who asks", "", Options{PIN: func(PINInfo) ([]byte, error) { return nil, own }}, own.Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.o.PIN == nil {
				c.o.PIN = func(PINInfo) ([]byte, error) { t.Error("asked"); return nil, ErrPINRequired }
			}
			m := load(t, h, c.o)
			_, err := m.Key(t.Context(), parse(t, "pkcs11:object=k?"+c.query), nil)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), `token "t"`) {
				t.Errorf("%v does not name the token", err)
			}
		})
	}
}

// TestAlwaysAuthenticate: a key that wants its PIN at each use.
func TestAlwaysAuthenticate(t *testing.T) {
	t.Parallel()
	h := testenv.NewSoftHSM(t)
	h.InitToken(t, "t")
	h.Tool(t, "t", "--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--label", "k", "--usage-sign", "--always-auth")
	for _, c := range []struct {
		name  string
		reuse bool
		pins  []string
		uri   string
		want  []string // what comes of each signature
		asked int
	}{
		{"asks each time", false, []string{"1234"}, "", []string{"", "", ""}, 4},
		{"reuses", true, []string{"1234", "never"}, "", []string{"", "", ""}, 1},
		{"from the URI", false, []string{"never"}, "?pin-value=1234", []string{"", "", ""}, 0},
		{"wrong once", false, []string{"1234", "9999", "1234"}, "", []string{"CKR_PIN_INCORRECT", "", ""}, 4},
		{"wrong twice, tried once", false, []string{"1234", "9999", "9999", "1234"}, "", []string{"CKR_PIN_INCORRECT", "not tried again", ""}, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "log")
			person := &asker{pins: c.pins}
			o := shim(t, h, "SHIM_LOG="+log)
			o.PIN, o.ReusePIN = person.ask, c.reuse
			k := open(t, load(t, h, o), "pkcs11:object=k"+c.uri)
			uses := 0
			for i, want := range c.want {
				err := signOnce(k)
				var wrong *PINError
				if (err == nil) != (want == "") || err != nil && (!errors.As(err, &wrong) || !strings.Contains(err.Error(), want)) {
					t.Errorf("signature %d: %v, want %s", i, err, want)
				}
				if want != "not tried again" {
					uses++
				}
			}
			if len(person.asked) != c.asked {
				t.Errorf("asked %d times, want %d", len(person.asked), c.asked)
			}
			if n := count(t, log, "login 2"); n != uses {
				t.Errorf("the token was given %d PINs for one use, want %d", n, uses)
			}
			if c.asked > 1 && (person.asked[1].Key != k.URI().String() || person.asked[1].Token != "t") {
				t.Errorf("asked %+v", person.asked[1])
			}
		})
	}
}

// TestAlwaysAuthenticateAtOnce: with a wrong PIN twenty goroutines cost one try.
func TestAlwaysAuthenticateAtOnce(t *testing.T) {
	t.Parallel()
	h := testenv.NewSoftHSM(t)
	h.InitToken(t, "t")
	h.Tool(t, "t", "--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--label", "k", "--usage-sign", "--always-auth")
	log := filepath.Join(t.TempDir(), "log")
	o := shim(t, h, "SHIM_LOG="+log)
	o.PIN = (&asker{pins: []string{"1234", "9999"}}).ask
	k := open(t, load(t, h, o), "pkcs11:object=k")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := signOnce(k); !errors.As(err, new(*PINError)) {
				t.Errorf("signed with a wrong PIN: %v", err)
			}
		})
	}
	wg.Wait()
	if n := count(t, log, "login 2"); n != 1 {
		t.Errorf("tried %d times", n)
	}
}

// TestReusePIN: after the process of the module has died, nobody is asked again.
func TestReusePIN(t *testing.T) {
	t.Parallel()
	h := oneKey(t)
	for _, reuse := range []bool{true, false} {
		person := &asker{pins: []string{"1234"}}
		k := open(t, load(t, h, Options{PIN: person.ask, ReusePIN: reuse}), "pkcs11:object=k")
		p := k.at.Load().p
		p.cmd.Process.Kill()
		<-p.ended
		signs(t, k)
		if want := map[bool]int{true: 1, false: 2}[reuse]; len(person.asked) != want {
			t.Errorf("asked %d times with ReusePIN %v", len(person.asked), reuse)
		}
	}
}

// TestPINPad: where the token asks by itself, nobody else does.
func TestPINPad(t *testing.T) {
	t.Parallel()
	h := testenv.NewSoftHSM(t)
	h.InitToken(t, "t")
	h.Tool(t, "t", "--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--label", "k", "--usage-sign", "--always-auth")
	const protected = "SHIM_FLAGS=0x100"
	log := filepath.Join(t.TempDir(), "log")
	o := shim(t, h, protected, "SHIM_PAD=1234", "SHIM_LOG="+log)
	o.PIN = func(PINInfo) ([]byte, error) { t.Error("asked"); return nil, ErrPINRequired }
	k := open(t, load(t, h, o), "pkcs11:object=k")
	signs(t, k)
	signs(t, k)
	if n := count(t, log, "pad"); n != 3 || count(t, log, "login") != 0 {
		t.Errorf("typed at the pad %d times", n)
	}
	wrong := shim(t, h, protected, "SHIM_PAD=9999")
	if _, err := load(t, h, wrong).Key(t.Context(), parse(t, "pkcs11:object=k"), nil); !errors.As(err, new(*PINError)) {
		t.Errorf("a wrong PIN at the pad: %v", err)
	}
}

// TestPINIsNotVisible: it is neither in the arguments nor in the environment of the process.
func TestPINIsNotVisible(t *testing.T) {
	t.Parallel()
	h := testenv.NewSoftHSM(t)
	h.InitToken(t, "t")
	h.Tool(t, "t", "--change-pin", "--new-pin", "sesame-open")
	m := load(t, h, Options{PIN: (&asker{pins: []string{"sesame-open"}}).ask})
	k, err := m.Generate(t.Context(), parse(t, "pkcs11:token=t;object=k"), "P-256")
	if err != nil {
		t.Fatal(err)
	}
	signs(t, k)
	for _, name := range []string{"cmdline", "environ"} {
		data, err := os.ReadFile(filepath.Join("/proc", pid(k.at.Load().p), name))
		if err != nil {
			t.Skipf("no /proc: %v", err)
		}
		if len(data) == 0 || bytes.Contains(data, []byte("sesame-open")) {
			t.Errorf("%s is %q", name, data)
		}
	}
}
