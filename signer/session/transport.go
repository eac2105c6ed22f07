package session

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"
)

// newHTTPClient is the client of cfg: its own transport, so that no setting of the rest of
// the program comes in, and none goes out.
//
// HTTP/1.1 without keep-alive: a session is one exchange, and the next is an hour away.
func newHTTPClient(cfg Config) *http.Client {
	http1 := new(http.Protocols)
	http1.SetHTTP1(true)
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  cfg.Proxy,
			OnProxyConnectResponse: refusedByProxy,
			DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSClientConfig: &tls.Config{
				MinVersion:         tls.VersionTLS12, // as the endpoints of AWS ask for
				RootCAs:            cfg.RootCAs,
				Time:               cfg.Now,
				InsecureSkipVerify: cfg.InsecureSkipVerify, // what the user asked for
			},
			TLSHandshakeTimeout:    10 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			DisableKeepAlives:      true,
			DisableCompression:     true,
			Protocols:              http1,
		},
	}
}

// refusedByProxy makes a type of what net/http has only words for.
func refusedByProxy(_ context.Context, proxy *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return newProxyError(proxy, resp)
}
