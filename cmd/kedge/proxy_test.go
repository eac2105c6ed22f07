package main

import (
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// proxy is an HTTP proxy on loopback. It connects to one address, whatever it is asked for, and
// passes no plain request on.
type proxy struct {
	login string // "USER:PASSWORD" that it asks for; empty: none
	to    string
	url   string // with the login

	mu    sync.Mutex
	asked []string // "CONNECT host:port", "GET http://..."
}

// newProxy starts one until the end of the test.
func newProxy(t *testing.T, to, login string) *proxy {
	t.Helper()
	p := &proxy{login: login, to: to}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL
	if login != "" {
		p.url = strings.Replace(server.URL, "://", "://"+login+"@", 1)
	}
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.RequestURI)
	p.mu.Unlock()
	if p.login != "" && r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(p.login)) {
		w.Header().Set("Proxy-Authenticate", `Basic realm="proxy"`)
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	if r.Method != http.MethodConnect {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer server.Close()
	client, early, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	if _, err := io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(server, early)
		_ = server.Close() // the client went away
	}()
	_, _ = io.Copy(client, server)
}

// took reports whether the proxy was asked for something that contains the text.
func (p *proxy) took(text string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.asked, func(line string) bool { return strings.Contains(line, text) })
}
