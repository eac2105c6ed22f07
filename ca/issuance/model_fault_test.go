package issuance_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fault is what happens to an operation on its way.
type fault struct {
	text   string // empty: nothing does
	ctx    context.Context
	cancel func()
}

// fault chooses a fault: the caller gives up at some moment, or the connection to PostgreSQL breaks
// just before or just after the COMMIT of a transaction. In each case the caller does not learn the
// outcome.
func (w *world) fault(sv *server, op *operation) fault {
	f := fault{ctx: w.t.Context(), cancel: func() {}}
	if op.text == "found" {
		return f
	}
	switch n := w.rng.IntN(100); {
	case n < 8:
		after := time.Duration(w.rng.IntN(3000)) * time.Microsecond
		if w.engine == "postgres" {
			after *= 5
		}
		f.text = fmt.Sprintf(" (given up after %v)", after)
		f.ctx, f.cancel = context.WithTimeout(w.t.Context(), after)
	case n < 24 && sv.proxy != nil:
		at := int32(1 + w.rng.IntN(2))
		f.text = map[int32]string{cutBefore: " (cut before COMMIT)", cutAfter: " (cut after COMMIT)"}[at]
		sv.proxy.cut.Store(at)
		f.cancel = func() { sv.proxy.cut.Store(cutNever) }
	}
	return f
}

// When a proxy cuts a connection.
const (
	cutNever int32 = iota
	cutBefore
	cutAfter
)

// proxy leads to a PostgreSQL server, and can cut a connection at its COMMIT.
type proxy struct {
	dir    string
	target atomic.Value // the socket of the server
	cut    atomic.Int32
}

// newProxy listens until the end of the test.
func newProxy(t *testing.T) *proxy {
	t.Helper()
	dir, err := os.MkdirTemp("", "kedge-proxy-") // the name of a socket is not to be long
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{dir: dir}
	listener, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		listener.Close()
		os.RemoveAll(dir)
	})
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(client)
		}
	}()
	return p
}

// before returns the DSN that leads through the proxy to the one of a server's socket.
func (p *proxy) before(dsn string) string {
	base, dir, _ := strings.Cut(dsn, "?host=")
	p.target.Store(filepath.Join(dir, ".s.PGSQL.5432"))
	return base + "?host=" + p.dir
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", p.target.Load().(string))
	if err != nil {
		return
	}
	defer server.Close()
	var deaf atomic.Bool // the client is not to hear the answer
	var group sync.WaitGroup
	group.Go(func() {
		buffer := make([]byte, 1<<16)
		for {
			n, err := server.Read(buffer)
			if err != nil || deaf.Load() {
				break
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				break
			}
		}
		client.Close()
		server.Close()
	})
	p.forward(server, client, &deaf)
	group.Wait()
}

// forward hands on what the client sends.
func (p *proxy) forward(server, client net.Conn, deaf *atomic.Bool) {
	buffer := make([]byte, 1<<16)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			server.Close()
			return
		}
		if bytes.Contains(buffer[:n], []byte("COMMIT\x00")) {
			switch p.cut.Swap(cutNever) {
			case cutBefore:
				client.Close()
				server.Close()
				return
			case cutAfter:
				deaf.Store(true)
			}
		}
		if _, err := io.Copy(server, bytes.NewReader(buffer[:n])); err != nil {
			client.Close()
			return
		}
	}
}
