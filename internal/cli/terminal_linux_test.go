package cli

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"kedge/internal/testenv"
)

// typist types the answer as soon as a prompt is there.
type typist struct {
	t                *testing.T
	master, terminal *os.File
	said             string
}

func (p *typist) Write(text []byte) (int, error) {
	if p.said == "" {
		if p.echoes() {
			p.t.Error("the prompt is there, and what is typed would be shown")
		}
		if _, err := p.master.WriteString("hunter2\n"); err != nil {
			p.t.Error(err)
		}
	}
	p.said += string(text)
	return len(text), nil
}

func (p *typist) echoes() bool {
	mode, err := unix.IoctlGetTermios(int(p.terminal.Fd()), unix.TCGETS)
	if err != nil {
		p.t.Fatal(err)
	}
	return mode.Lflag&unix.ECHO != 0
}

// TestAsk_hidden: who types when the prompt is there does not show the password.
func TestAsk_hidden(t *testing.T) {
	t.Parallel()
	p := newTypist(t)
	for range 2 {
		p.said = ""
		password, err := ask(p.terminal, p, "Password of key")
		if err != nil || string(password) != "hunter2" || p.said != "Password of key: \n" {
			t.Errorf("%q, %v, it said %q", password, err, p.said)
		}
		if !p.echoes() {
			t.Error("afterwards nothing that is typed is shown")
		}
	}
}

func newTypist(t *testing.T) *typist {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		testenv.Missing(t, "pty", err.Error())
	}
	t.Cleanup(func() { master.Close() })
	n, err1 := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	err2 := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return &typist{t: t, master: master, terminal: terminal}
}
