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
// stops, and shows that it lives. A shell stands for systemd: it has the process id before the
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
	told := notices(notify)
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
	wantNotice(t, told, "READY=1\nSTATUS=serving kedge")
	wantNotice(t, told, "WATCHDOG=1")
	s.hangup(t)
	wantNotice(t, told, "RELOADING=1\nMONOTONIC_USEC=")
	wantNotice(t, told, "READY=1\nSTATUS=serving kedge")
	if err := s.stop(); err != nil {
		t.Errorf("%v\n%s", err, s.log)
	}
	wantNotice(t, told, "STOPPING=1")
}

// notices are what the socket is told, until it is closed. It is read all the time, as systemd does:
// what is not read keeps the service waiting.
func notices(socket *net.UnixConn) <-chan string {
	told := make(chan string, 100_000)
	go func() {
		defer close(told)
		for buffer := make([]byte, 4096); ; {
			n, err := socket.Read(buffer)
			if err != nil {
				return
			}
			told <- string(buffer[:n])
		}
	}()
	return told
}

// wantNotice waits for a notice that begins so, whatever comes before.
func wantNotice(t *testing.T, told <-chan string, want string) {
	t.Helper()
	for deadline := time.After(time.Minute); ; {
		select {
		case got := <-told:
			if strings.HasPrefix(got, want) {
				return
			}
		case <-deadline:
			t.Fatalf("no %q", want)
		}
	}
}
