package session

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// cause describes why there was no answer. They are of the system or the protocol, without the
// calls of package net.
func cause(err error) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsTimeout {
		return "the name servers of this host do not answer"
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "it takes too long"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		if system, ok := errors.AsType[*os.SyscallError](op); ok {
			return oneLine(system.Err.Error())
		}
		if dns, ok := errors.AsType[*net.DNSError](op); ok {
			return oneLine(dns.Err)
		}
	}
	if refused, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return oneLine(unverified(refused))
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it closed the connection within its answer"
	case errors.Is(err, io.EOF):
		return "it closed the connection"
	}
	return oneLine(err.Error())
}

// unverified describes why the server's certificate was not accepted.
func unverified(err *tls.CertificateVerificationError) string {
	if unknown, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		if unknown.Cert == nil {
			return "the server's certificate is signed by an unknown authority"
		}
		return fmt.Sprintf("the server's certificate is signed by an unknown authority, %q", unknown.Cert.Issuer)
	}
	if name, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the server's certificate is for another name than " + name.Host
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		if invalid.Cert == nil {
			return "the server's certificate is not in date"
		}
		return fmt.Sprintf("the server's certificate %q is not in date: it is valid from %s until %s", invalid.Cert.Subject,
			invalid.Cert.NotBefore.UTC().Format(time.RFC3339), invalid.Cert.NotAfter.UTC().Format(time.RFC3339))
	}
	return "the server's certificate cannot be verified: " + strings.TrimPrefix(err.Err.Error(), "x509: ")
}

// unconnected describes what could not be connected to, for a request to the host; ok is false if the
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
