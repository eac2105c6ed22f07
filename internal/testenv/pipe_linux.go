package testenv

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// AwaitRead writes a byte into a pipe and waits until it is read: then its reader waits for the rest.
func AwaitRead(t testing.TB, w *os.File) {
	t.Helper()
	if _, err := w.WriteString("-"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		left, err := unix.IoctlGetInt(int(w.Fd()), unix.TIOCINQ)
		switch {
		case err != nil:
			t.Fatal(err)
		case left == 0:
			return
		case time.Now().After(deadline):
			t.Fatal("nobody reads the pipe")
		}
	}
}
