package emulator

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"

	"kedge/internal/emulator/wire"
)

const hugeSize = 100 << 20

// misbehave sends the fault's answer instead of the real one. It returns false if the request is to
// be answered as usual, perhaps after a delay. write writes errors in the service's format.
func (f Fault) misbehave(ctx context.Context, w http.ResponseWriter, write func(http.ResponseWriter, *wire.Error)) bool {
	switch f.Kind {
	case "delay":
		return !wait(ctx, f.duration()) // if the client has left, no answer
	case "status", "throttle", "unavailable":
		write(w, f.apiError())
	case "cut":
		f.cut(w)
	case "html":
		status, _ := f.number(http.StatusOK, 0, 0)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in to the proxy.</body></html>\n")
	case "redirect":
		w.Header().Set("Location", cmp.Or(f.Value, "/elsewhere"))
		w.WriteHeader(http.StatusFound)
	case "huge", "endless":
		f.flood(ctx, w)
	case "body":
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, f.Value)
	default:
		return false
	}
	return true
}

func (f Fault) apiError() *wire.Error {
	switch f.Kind {
	case "throttle":
		return f.Service.throttled()
	case "unavailable":
		refusal := f.Service.failure(http.StatusServiceUnavailable)
		refusal.RetryAfter, _ = f.number(1, 1, math.MaxInt32)
		return refusal
	}
	status, _ := f.number(http.StatusInternalServerError, 0, 0)
	return f.Service.failure(status)
}

// wait returns false if the client left first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// cut closes the connection, without an answer or in the middle of one. Only HTTP/1 can; see
// Serve.
func (f Fault) cut(w http.ResponseWriter) {
	conn, buffer, err := http.NewResponseController(w).Hijack()
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	if f.Value == "body" {
		_, _ = buffer.WriteString("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"credentialSet\":[{")
		_ = buffer.Flush()
	}
	_ = conn.Close()
}

func (f Fault) flood(ctx context.Context, w http.ResponseWriter) {
	left, _ := f.number(hugeSize, 0, 0)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, err := io.WriteString(w, `{"credentialSet":[`)
	chunk := bytes.Repeat([]byte(" "), 64<<10)
	for err == nil && ctx.Err() == nil && (left > 0 || f.Kind == "endless") {
		n := len(chunk)
		if f.Kind == "huge" {
			n = min(n, left)
		}
		_, err = w.Write(chunk[:n])
		left -= n
	}
	if err == nil && f.Kind == "huge" {
		fmt.Fprint(w, "]}")
	}
}
