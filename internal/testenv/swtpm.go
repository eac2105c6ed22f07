package testenv

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// SwtpmServer is a software TPM 2.0 in a scratch folder, without resource manager: it has
// three slots for transient objects, as a chip has.
type SwtpmServer struct {
	Device string // where it listens: unix:PATH or tcp:HOST:PORT

	network, address string
	dir              string
	lifeline         *os.File // while it is open, the server lives
	guard            *exec.Cmd
}

// Swtpm starts a new TPM that listens on a unix socket. It ends with the test, or with the
// process, however that ends.
func Swtpm(tb testing.TB) *SwtpmServer {
	tb.Helper()
	s := newSwtpm(tb)
	s.network, s.address = "unix", filepath.Join(s.dir, "tpm.sock")
	s.Device = "unix:" + s.address
	s.Start(tb)
	return s
}

// SwtpmTCP is Swtpm on a TCP port of the loopback interface.
func SwtpmTCP(tb testing.TB) *SwtpmServer {
	tb.Helper()
	s := newSwtpm(tb)
	s.network, s.address = "tcp", "127.0.0.1:"+strconv.Itoa(twoPorts(tb))
	s.Device = "tcp:" + s.address
	s.Start(tb)
	return s
}

func newSwtpm(tb testing.TB) *SwtpmServer {
	tb.Helper()
	Tool(tb, "swtpm")
	dir, err := os.MkdirTemp("", "kedge-tpm-") // short: the path of a socket has at most 107 bytes
	if err != nil {
		tb.Fatal(err)
	}
	s := &SwtpmServer{dir: dir}
	tb.Cleanup(func() {
		s.Stop(tb)
		os.RemoveAll(dir)
	})
	return s
}

// Start starts the TPM after a Stop, as power coming back does: what was persistent is there
// again, the rest is gone. It returns when the TPM takes connections.
func (s *SwtpmServer) Start(tb testing.TB) {
	tb.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	server, ctrl := s.listen(tb)
	// The shell kills its one child when the lifeline breaks, and nothing else.
	const script = `trap '' INT TERM HUP; "$@" </dev/null & cat; kill -9 $!; wait`
	s.guard = exec.Command("/bin/sh", "-c", script, "sh", Tool(tb, "swtpm"), "socket", "--tpm2", "--tpmstate", "dir="+s.dir,
		"--server", server, "--ctrl", ctrl, "--flags", "not-need-init,startup-clear")
	s.guard.Stdin = r
	s.lifeline = w
	if err := s.guard.Start(); err != nil {
		tb.Fatal(err)
	}
	s.await(tb)
}

// Stop ends the TPM at once, as a power cut does.
func (s *SwtpmServer) Stop(tb testing.TB) {
	tb.Helper()
	if s.lifeline == nil {
		return
	}
	s.lifeline.Close()
	s.lifeline = nil
	if err := s.guard.Wait(); err != nil && s.guard.ProcessState.ExitCode() != 137 {
		tb.Errorf("stop swtpm: %v", err)
	}
}

// Run runs one of the tpm2-tools, or openssl with its provider, against this TPM and returns
// what it says. The objects and sessions that it leaves in the TPM are flushed.
func (s *SwtpmServer) Run(tb testing.TB, dir, name string, args ...string) []byte {
	tb.Helper()
	out := s.run(tb, dir, name, args...)
	s.run(tb, dir, "tpm2_flushcontext", "-t")
	s.run(tb, dir, "tpm2_flushcontext", "-l")
	return out
}

// Keep is Run without the flush: what the tool leaves in the TPM stays there.
func (s *SwtpmServer) Keep(tb testing.TB, dir, name string, args ...string) []byte {
	tb.Helper()
	return s.run(tb, dir, name, args...)
}

// Transient returns the handles of the transient objects and the sessions that the TPM holds,
// as tpm2_getcap lists them: empty when it holds none.
func (s *SwtpmServer) Transient(tb testing.TB) string {
	tb.Helper()
	return string(s.run(tb, s.dir, "tpm2_getcap", "handles-transient")) + string(s.run(tb, s.dir, "tpm2_getcap", "handles-loaded-session"))
}

func (s *SwtpmServer) run(tb testing.TB, dir, name string, args ...string) []byte {
	tb.Helper()
	cmd := exec.Command(Tool(tb, name), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TPM2TOOLS_TCTI="+s.tcti(tb), "TPM2OPENSSL_TCTI="+s.tcti(tb))
	out, err := cmd.Output()
	if err != nil {
		var said []byte
		if exit, ok := err.(*exec.ExitError); ok {
			said = exit.Stderr
		}
		tb.Fatalf("%s %q: %v\n%s", name, args, err, said)
	}
	return out
}

// tcti is the address in the language of the TCG's software stack.
func (s *SwtpmServer) tcti(tb testing.TB) string {
	tb.Helper()
	if s.network == "unix" {
		return "swtpm:path=" + s.address
	}
	host, port, err := net.SplitHostPort(s.address)
	if err != nil {
		tb.Fatal(err)
	}
	return "swtpm:host=" + host + ",port=" + port
}

// control is where the control channel listens: the software stack expects it there.
func (s *SwtpmServer) control(tb testing.TB) string {
	tb.Helper()
	if s.network == "unix" {
		return s.address + ".ctrl"
	}
	host, port, err := net.SplitHostPort(s.address)
	if err != nil {
		tb.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		tb.Fatal(err)
	}
	return net.JoinHostPort(host, strconv.Itoa(n+1))
}

// listen returns the arguments of --server and --ctrl.
func (s *SwtpmServer) listen(tb testing.TB) (server, ctrl string) {
	tb.Helper()
	if s.network == "unix" {
		os.Remove(s.address) // left behind by the one that was killed
		os.Remove(s.control(tb))
		return "type=unixio,path=" + s.address, "type=unixio,path=" + s.control(tb)
	}
	spec := func(address string) string {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			tb.Fatal(err)
		}
		return "type=tcp,bindaddr=" + host + ",port=" + port
	}
	return spec(s.address), spec(s.control(tb))
}

// await waits until both channels take connections.
func (s *SwtpmServer) await(tb testing.TB) {
	tb.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for _, address := range []string{s.control(tb), s.address} {
		for {
			conn, err := net.Dial(s.network, address)
			if err == nil {
				conn.Close()
				break
			}
			if time.Now().After(deadline) {
				tb.Fatalf("swtpm does not listen: %v", err)
			}
			<-tick.C
		}
	}
}

// twoPorts finds a free TCP port whose successor is free too.
func twoPorts(tb testing.TB) int {
	tb.Helper()
	for range 100 {
		first, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		port := first.Addr().(*net.TCPAddr).Port
		second, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port+1)))
		first.Close()
		if err == nil {
			second.Close()
			return port
		}
	}
	tb.Fatal("no two free ports in a row")
	return 0
}
