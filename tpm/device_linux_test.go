package tpm

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"kedge/internal/testenv"
)

// TestDevice: a character device. A terminal in raw mode stands in for /dev/tpm0.
func TestDevice(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	handle := keyIn(t, s)
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		testenv.Missing(t, "pty", err.Error())
	}
	defer master.Close()
	n, err1 := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	err2 := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("/dev/pts/%d", n)
	terminal, err := os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	if _, err := term.MakeRaw(int(terminal.Fd())); err != nil {
		t.Fatal(err)
	}
	go func() {
		in := make([]byte, maxResponse)
		for {
			n, err := master.Read(in)
			if err != nil {
				return
			}
			master.Write(command(t, s, in[:n]))
		}
	}()
	key, err := Open(t.Context(), Config{Device: name, Handle: handle})
	if err != nil {
		t.Fatal(err)
	}
	if err := signOnce(key); err != nil {
		t.Error(err)
	}
	if key.manager.cost == 0 {
		t.Error("what a device takes is not measured")
	}
	key.Close()
}
