package httpserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// The limits of one request. An SDK sends about 500 bytes of headers, all at once.
const (
	maxHeader   = 8 << 10
	headerTime  = 5 * time.Second
	requestTime = 10 * time.Second
	idleTime    = 2 * time.Minute
)

// New returns a server of HTTP/1.1 with the limits of one request. Its listeners are those of
// Connections. What net/http complains about goes to log.
func New(h http.Handler, log *RateLimited) *http.Server {
	server := &http.Server{
		Handler:                      h,
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            headerTime,
		ReadTimeout:                  requestTime,
		WriteTimeout:                 requestTime,
		IdleTimeout:                  idleTime,
		MaxHeaderBytes:               maxHeader,
		ErrorLog:                     slog.NewLogLogger(complaints{log}, slog.LevelWarn),
		Protocols:                    new(http.Protocols),
		ConnState:                    stateChanged,
		ConnContext:                  withConn,
	}
	server.Protocols.SetHTTP1(true)
	return server
}

// Run answers on the listeners until ctx ends. Then it accepts no new connections, and waits up to
// drain for the requests in progress. It closes the listeners, which speak TLS if they are those of
// tls.NewListener: ServeTLS would link the server's half of TLS, 220 kB, to a program without it.
//
// The error is that of a listener; it is nil if ctx ended.
func Run(ctx context.Context, drain time.Duration, server *http.Server, listeners ...net.Listener) error {
	done := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() {
			done <- server.Serve(l)
		}()
	}
	var failed error
	select {
	case failed = <-done:
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		_ = server.Close() // drain is over
	}
	if errors.Is(failed, http.ErrServerClosed) {
		return nil
	}
	return failed
}

// complaints receives what net/http logs, such as too many open files, repeatedly.
type complaints struct{ log *RateLimited }

func (complaints) Enabled(context.Context, slog.Level) bool { return true }

func (c complaints) Handle(_ context.Context, record slog.Record) error {
	// The texts contain addresses, so they are told apart by what comes before: "http: TLS handshake
	// error from ADDRESS: EOF", "http: panic serving ADDRESS: nil map".
	text := strings.TrimPrefix(record.Message, "http: ")
	for _, end := range []string{":", " from ", " serving "} {
		text, _, _ = strings.Cut(text, end)
	}
	c.log.Warn("http server: "+strings.TrimSpace(text), "error", record.Message)
	return nil
}

func (c complaints) WithAttrs([]slog.Attr) slog.Handler { return c }
func (c complaints) WithGroup(string) slog.Handler      { return c }
