// Package rawclient posts messages over TLS. It writes HTTP by hand: a client that costs as much as the
// server would hide the server's cost.
package rawclient

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// The deadlines of kedge's own client.
const (
	handshakeTime = 10 * time.Second
	answerTime    = 60 * time.Second
)

// Conn is a connection to a server, which is opened by the first message. It is not safe for concurrent
// use.
type Conn struct {
	Dial func() (net.Conn, error)
	TLS  *tls.Config
	Host string

	tls *tls.Conn
	in  *bufio.Reader
}

// Answer is what the server sends.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Message is the body of a POST, and what its header has about it.
type Message struct {
	Path string
	Type string // the Content-Type
	More string // more of the header, with its ends of line
	Body []byte
}

// Post sends a message in JSON and returns the answer. After an error the connection is closed.
func (c *Conn) Post(path string, message []byte) (*Answer, error) {
	return c.Send(Message{Path: path, Type: "application/json", Body: message})
}

// Send sends a message and returns the answer. After an error the connection is closed.
func (c *Conn) Send(m Message) (*Answer, error) {
	answer, err := c.exchange(m)
	if err != nil {
		c.Close()
	}
	return answer, err
}

// Close closes the connection. The next message opens another.
func (c *Conn) Close() {
	if c.tls != nil {
		_ = c.tls.Close() // it may have been closed by the server
		c.tls = nil
	}
}

func (c *Conn) open() error {
	raw, err := c.Dial()
	if err != nil {
		return err
	}
	c.tls = tls.Client(raw, c.TLS)
	c.in = bufio.NewReader(c.tls)
	if err := raw.SetDeadline(time.Now().Add(handshakeTime)); err != nil {
		return err
	}
	return c.tls.Handshake()
}

func (c *Conn) exchange(m Message) (*Answer, error) {
	if c.tls == nil {
		if err := c.open(); err != nil {
			return nil, err
		}
	}
	if err := c.tls.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return nil, err
	}
	head := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n", m.Path, c.Host, m.Type, len(m.Body), m.More)
	if _, err := c.tls.Write(append(head, m.Body...)); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return &Answer{response.StatusCode, response.Header, body}, err
}
