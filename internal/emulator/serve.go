package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"kedge/internal/emulator/wire"
)

// ErrNotLoopback is returned if an address can be reached from other machines. The emulator
// protects nothing: it issues credentials to every holder of a certificate, over http.
var ErrNotLoopback = errors.New("not a loopback address")

// Listen listens on an address such as 127.0.0.1:0, where port 0 means a free one. Unless remote is
// set, an address that is not loopback is refused with ErrNotLoopback.
func Listen(ctx context.Context, address string, remote bool) (net.Listener, error) {
	if !remote {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if !isLoopbackHost(host) {
			return nil, fmt.Errorf("listen on %s: %w", address, ErrNotLoopback)
		}
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", address)
}

// flushTimeout bounds how long an emulator that ends waits for its disk.
const flushTimeout = 10 * time.Second

// Run serves an emulator on l until ctx ends, as [Serve] does, and then writes into the state folder what is not there
// yet, for ten seconds at most.
func Run(ctx context.Context, l net.Listener, e *Emulator) error {
	err := Serve(ctx, l, e.Handler())
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	return errors.Join(err, e.Flush(grace))
}

// Serve serves on l until ctx ends, then gives open requests two seconds to finish. It uses HTTP/1
// only, in which a connection can be cut.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    wire.MaxHeader,
		ErrorLog:          log.New(io.Discard, "", 0), // scanners and cut connections
		Protocols:         new(http.Protocols),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	server.Protocols.SetHTTP1(true)
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close()
	}
	return nil
}
