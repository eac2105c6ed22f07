package session

import (
	"errors"
	"io"
	"net"
	"os"
)

// cause says in words why there was no answer. They are of the system or the protocol, without the
// calls of package net.
func cause(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		if system, ok := errors.AsType[*os.SyscallError](op); ok {
			return oneLine(system.Err.Error())
		}
		if dns, ok := errors.AsType[*net.DNSError](op); ok {
			return oneLine(dns.Err)
		}
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it closed the connection within its answer"
	case errors.Is(err, io.EOF):
		return "it closed the connection"
	}
	return oneLine(err.Error())
}

// unconnected says what could not be connected to, for a request to the host; ok is false if the
// connection was made.
func unconnected(host string, err error) (what string, ok bool) {
	op, ok := errors.AsType[*net.OpError](err)
	proxy := ok && op.Op == "proxyconnect"
	if proxy {
		op, ok = errors.AsType[*net.OpError](op.Err)
	}
	if !ok || op.Op != "dial" {
		return "", false
	}
	address := ""
	if op.Addr != nil {
		address = op.Addr.String()
	}
	dns, unknown := errors.AsType[*net.DNSError](op)
	switch {
	case proxy && unknown:
		return "the proxy " + oneLine(dns.Name), true
	case proxy:
		return "the proxy " + oneLine(address), true
	case address == "" || address == host:
		return host, true
	}
	return host + " (" + oneLine(address) + ")", true
}
