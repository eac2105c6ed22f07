package tpm

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kedge/internal/testenv"
)

// keyIn stores a key in the TPM and returns its handle.
func keyIn(t *testing.T, s *testenv.SwtpmServer) uint32 {
	t.Helper()
	dir := t.TempDir()
	s.Run(t, dir, "tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-c", "parent.ctx")
	s.Run(t, dir, "tpm2_create", "-Q", "-C", "parent.ctx", "-G", "ecc256", "-c", "key.ctx")
	s.Run(t, dir, "tpm2_evictcontrol", "-Q", "-C", "o", "-c", "key.ctx", "0x81000050")
	return 0x81000050
}

func signOnce(k *Key) error {
	digest := sha256.Sum256([]byte("to be signed"))
	_, err := k.Sign(nil, digest[:], crypto.SHA256)
	return err
}

// command sends a command to swtpm and returns the response.
func command(t *testing.T, s *testenv.SwtpmServer, in []byte) []byte {
	t.Helper()
	c, err := net.Dial("unix", strings.TrimPrefix(s.Device, "unix:"))
	if err != nil {
		t.Error(err)
		return nil
	}
	defer c.Close()
	out, err := stream{c}.Send(in)
	if err != nil {
		t.Error(err)
	}
	return out
}

// TestMSSIM: the framing of the reference simulator, as its TpmTcpProtocol.h has it, in
// front of swtpm.
func TestMSSIM(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	handle := keyIn(t, s)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ended := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			ended <- err.Error()
			return
		}
		defer c.Close()
		ended <- serveMSSIM(t, c, s)
	}()
	key, err := Open(t.Context(), Config{Device: "mssim:" + l.Addr().String(), Handle: handle})
	if err != nil {
		t.Fatal(err)
	}
	if err := signOnce(key); err != nil {
		t.Error(err)
	}
	key.Close()
	if how := <-ended; how != "session end" {
		t.Errorf("the simulator saw: %s", how)
	}
}

func serveMSSIM(t *testing.T, c net.Conn, s *testenv.SwtpmServer) string {
	for {
		var code uint32
		if err := binary.Read(c, binary.BigEndian, &code); err != nil {
			return err.Error()
		}
		if code == 20 {
			return "session end"
		}
		var head struct {
			Locality uint8
			Size     uint32
		}
		if err := binary.Read(c, binary.BigEndian, &head); err != nil || code != 8 || head.Locality != 0 {
			return fmt.Sprintf("command %d, %+v, %v", code, head, err)
		}
		in := make([]byte, head.Size)
		if _, err := io.ReadFull(c, in); err != nil {
			return err.Error()
		}
		rsp := command(t, s, in)
		out := binary.BigEndian.AppendUint32(nil, uint32(len(rsp)))
		c.Write(append(append(out, rsp...), 0, 0, 0, 0))
	}
}

// TestStaleHandle: a handle that the TPM has forgotten within a connection is loaded again.
func TestStaleHandle(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	auth := func() ([]byte, error) { return []byte("x"), nil }
	file, err := Create(t.Context(), CreateOptions{Device: s.Device, Type: "P-256", KeyAuth: auth})
	if err != nil {
		t.Fatal(err)
	}
	key, err := Open(t.Context(), Config{Device: s.Device, File: file, KeyAuth: auth})
	if err != nil {
		t.Fatal(err)
	}
	defer key.Close()
	if err := signOnce(key); err != nil {
		t.Fatal(err)
	}
	forget := map[string]func(c *conn){
		"key":        func(c *conn) { c.flush(key.object.handle) },
		"session":    func(c *conn) { c.flush(key.object.session.Handle()) },
		"both":       func(c *conn) { c.flushAll() },
		"the copies": func(c *conn) { c.flushAll(); key.object.saved, key.object.savedParent = nil, nil },
	}
	for name, what := range forget {
		err := key.manager.do(t.Context(), func(ctx context.Context) error {
			c, err := key.ready(ctx)
			if err == nil {
				what(c)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := signOnce(key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOldCopies: copies of what was loaded are no good after a reset, and made anew.
func TestOldCopies(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	file, err := Create(t.Context(), CreateOptions{Device: s.Device, Type: "P-256"})
	if err != nil {
		t.Fatal(err)
	}
	key, err := Open(t.Context(), Config{Device: s.Device, File: file})
	if err != nil {
		t.Fatal(err)
	}
	defer key.Close()
	pause := func() *conn {
		key.manager.turn <- struct{}{}
		defer func() { <-key.manager.turn }()
		if key.manager.conn != nil {
			key.manager.pause()
		}
		return key.manager.conn
	}
	if c := pause(); c != nil || key.object.saved == nil {
		t.Fatal("no copy was kept")
	}
	first := key.object.saved
	if err := signOnce(key); err != nil || key.object.saved != first {
		t.Fatalf("the copy was not used: %v", err)
	}
	pause()
	s.Stop(t)
	s.Start(t)
	if err := signOnce(key); err != nil || key.object.saved == first {
		t.Fatalf("an old copy: %v", err)
	}
}

// TestSilence: a TPM that never answers is given up, so that the next call has a connection of
// its own, and what the first one left is flushed by it.
func TestSilence(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	path := filepath.Join(t.TempDir(), "mute.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var mute atomic.Bool
	closed := make(chan struct{})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			for in := make([]byte, maxResponse); ; {
				n, err := c.Read(in)
				if err != nil {
					break
				}
				if mute.CompareAndSwap(true, false) {
					c.Read(in) // until it is closed
					close(closed)
					break
				}
				c.Write(command(t, s, in[:n]))
			}
			c.Close()
		}
	}()
	file, err := Create(t.Context(), CreateOptions{Device: s.Device, Type: "P-256"})
	if err != nil {
		t.Fatal(err)
	}
	key, err := Open(t.Context(), Config{Device: "unix:" + path, File: file, Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	key.manager.abandonTimeout = 50 * time.Millisecond
	mute.Store(true)
	if err := signOnce(key); err == nil || !strings.Contains(err.Error(), "no signature within 50ms") {
		t.Errorf("a TPM that does not answer: %v", err)
	}
	<-closed
	key.timeout = time.Minute
	if err := signOnce(key); err != nil {
		t.Errorf("after it was given up: %v", err)
	}
	key.Close()
	if left := s.Transient(t); left != "" {
		t.Errorf("left in the TPM: %s", left)
	}
}

// TestKey_Close_silence: a TPM that never answered is left when the key is closed, long before an abandoned command
// would be, and its connection is closed.
func TestKey_Close_silence(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mute.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ended := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err == nil {
			_, err = io.Copy(io.Discard, c)
			c.Close()
		}
		ended <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := Open(ctx, Config{Device: "unix:" + path, Handle: 0x81000011}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > abandonTimeout/2 {
		t.Errorf("it took %s", took)
	}
}
