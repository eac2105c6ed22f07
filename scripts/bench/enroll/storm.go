package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"kedge/scripts/bench/workload"
)

// connections is how many there are at once.
const connections = 64

// storm sends messages to a server. It writes HTTP by hand: a client that costs as much as the server
// would hide the server's cost.
type storm struct {
	address string
	path    string
	keep    bool     // the connections; otherwise there is one for each message
	kind    string   // the Content-Type
	heads   []string // more of the header of each message, with its ends of line; nil: nothing
}

// result is one storm: requests in a second, the 99th percentile of the milliseconds that one takes,
// and the bodies of the answers.
type result struct {
	rate, p99 float64
	answers   [][]byte
}

func (s storm) run(messages [][]byte) (result, error) {
	r := result{answers: make([][]byte, len(messages))}
	times := make([]time.Duration, len(messages))
	var next atomic.Int64
	rate, err := workload.RunWith(connections, connections, func(int) (err error) {
		c := &conn{storm: s}
		defer c.close()
		for i := next.Add(1) - 1; i < int64(len(messages)); i = next.Add(1) - 1 {
			begun := time.Now()
			if r.answers[i], err = c.exchange(c.head(int(i), len(messages[i])), messages[i]); err != nil {
				return err
			}
			times[i] = time.Since(begun)
		}
		return nil
	})
	r.rate = rate / connections * float64(len(messages))
	slices.Sort(times)
	r.p99 = float64(times[len(times)*99/100].Microseconds()) / 1000
	return r, err
}

// conn is a connection to a server.
type conn struct {
	storm
	tls *tls.Conn
	in  *bufio.Reader
}

func (c *conn) close() {
	if c.tls != nil {
		_ = c.tls.Close() // it may have been closed by the server
		c.tls = nil
	}
}

func (c *conn) open() error {
	raw, err := net.Dial("tcp", c.address)
	if err != nil {
		return err
	}
	// Whose server it is does not matter here. Its signature is verified all the same.
	c.tls = tls.Client(raw, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13})
	c.in = bufio.NewReader(c.tls)
	return c.tls.Handshake()
}

// head returns the header of a message with a body of n bytes.
func (s storm) head(i, n int) []byte {
	more := ""
	if s.heads != nil {
		more = s.heads[i]
	}
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n", s.path, s.address, s.kind, n, more)
}

// exchange sends a message and returns the body of the answer, which must have status 200.
func (c *conn) exchange(head, message []byte) ([]byte, error) {
	if c.tls == nil {
		if err := c.open(); err != nil {
			return nil, err
		}
	}
	if !c.keep {
		defer c.close()
	}
	if _, err := c.tls.Write(append(head, message...)); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status + ": " + string(body))
	}
	return body, err
}
