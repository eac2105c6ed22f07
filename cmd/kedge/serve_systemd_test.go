//go:build unix

package main

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestServe_systemd: it takes the sockets that are open already, says when it is ready, reloads and
// stops, and shows that it lives. A shell stands for systemd: it knows the process id before the
// program starts.
func TestServe_systemd(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	dir, err := os.MkdirTemp("", "kedge") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "n"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notify.Close()
	var files []*os.File
	var addresses []string
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		f, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files, addresses = append(files, f), append(addresses, l.Addr().String())
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "kedge")
	if err := linkFile(link, self); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh")
	cmd.ExtraFiles = files
	cmd.Env = append(os.Environ(), "LISTEN_FDS=2", "LISTEN_FDNAMES=kedge.socket:metrics", "NOTIFY_SOCKET="+filepath.Join(dir, "n"), "WATCHDOG_USEC=100000", "RUNTIME_DIRECTORY="+dir)
	s := w.startWith(cmd, func(args []string) []string {
		return append([]string{"sh", "-c", `export LISTEN_PID=$$; exec "$0" "$@"`, link}, args[1:]...)
	}, w.flags()...)
	if got := s.exports["AWS_EC2_METADATA_SERVICE_ENDPOINT"]; got != "http://"+addresses[0]+"/" {
		t.Errorf("endpoint %s, not %s", got, addresses[0])
	}
	if response, err := http.Get("http://" + addresses[1] + "/healthz"); err != nil || response.StatusCode != 200 {
		t.Errorf("monitor: %v, %v", response, err)
	}
	wantNotice(t, notify, "READY=1\nSTATUS=serving kedge")
	wantNotice(t, notify, "WATCHDOG=1")
	s.hangup(t)
	wantNotice(t, notify, "RELOADING=1\nMONOTONIC_USEC=")
	wantNotice(t, notify, "READY=1\nSTATUS=serving kedge")
	if err := s.stop(); err != nil {
		t.Errorf("%v\n%s", err, s.log)
	}
	wantNotice(t, notify, "STOPPING=1")
}

// wantNotice waits for a notice that begins so, whatever comes before.
func wantNotice(t *testing.T, socket *net.UnixConn, want string) {
	t.Helper()
	if err := socket.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 4096)
	for {
		n, err := socket.Read(buffer)
		if err != nil {
			t.Fatalf("no %q: %v", want, err)
		}
		if strings.HasPrefix(string(buffer[:n]), want) {
			return
		}
	}
}
