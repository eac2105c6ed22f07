package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"kedge/scripts/bench/rawclient"
	"kedge/scripts/bench/workload"
)

// connections is how many there are at once.
const connections = 64

// storm sends messages to a server.
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
		c := s.conn()
		defer c.Close()
		for i := next.Add(1) - 1; i < int64(len(messages)); i = next.Add(1) - 1 {
			begun := time.Now()
			if r.answers[i], err = s.exchange(c, s.message(int(i), messages[i])); err != nil {
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

// conn is a connection to the server.
func (s storm) conn() *rawclient.Conn {
	return &rawclient.Conn{
		Dial: func() (net.Conn, error) { return net.Dial("tcp", s.address) },
		// Whose server it is does not matter here. Its signature is verified all the same.
		TLS:  &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13},
		Host: s.address,
	}
}

// message returns what is sent for a body.
func (s storm) message(i int, body []byte) rawclient.Message {
	m := rawclient.Message{Path: s.path, Type: s.kind, Body: body}
	if s.heads != nil {
		m.More = s.heads[i]
	}
	return m
}

// exchange sends a message and returns the body of the answer, which must have status 200.
func (s storm) exchange(c *rawclient.Conn, m rawclient.Message) ([]byte, error) {
	if !s.keep {
		defer c.Close()
	}
	answer, err := c.Send(m)
	if err == nil && answer.Status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", answer.Status, answer.Body)
	}
	if err != nil {
		return nil, err
	}
	return answer.Body, nil
}
