package hostadvice

import (
	"context"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"kedge/internal/cli"
	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient"
)

// TestRefusal_denied: a denial has several causes, which the server alone has; nothing is invented.
func TestRefusal_denied(t *testing.T) {
	t.Parallel()
	e := enrollapi.Error{Code: enrollapi.Denied, Message: "the policy of the CA refuses it"}
	if got := refusal(&e); got != "ask the operator of the CA" {
		t.Errorf("hint %q", got)
	}
	e.Hint = "the hint of the server"
	if got := refusal(&e); got != e.Hint {
		t.Errorf("hint %q", got)
	}
}

// TestUnreachable: the error is who could not be reached, without the calls of package net, and the hint is
// about what is in the way.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 8443}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	unknown := &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "ca.example.com"}}
	for _, tt := range []struct {
		err         error
		words, hint string
	}{
		{refused, "cannot connect to ca:8443 (192.0.2.1:8443): " + syscall.ECONNREFUSED.Error(), "see whether kedge-ca serve runs there"},
		{unknown, "cannot connect to ca:8443: no such host", "the name ca.example.com does not resolve here"},
		{&net.OpError{Op: "proxyconnect", Net: "tcp", Err: refused}, "cannot connect to the proxy 192.0.2.1:8443: " + syscall.ECONNREFUSED.Error(), "check the proxy's address"},
		{context.DeadlineExceeded, "no answer from ca:8443: it takes too long", "a firewall may drop the packets"},
	} {
		err := &enrollclient.UnreachableError{Server: "ca:8443", Err: tt.err}
		got := Table().Of(err)
		if err.Error() != tt.words || got.Code != cli.ExitFailed || !strings.HasPrefix(got.Hint, tt.hint) || !strings.HasSuffix(got.Hint, "it goes on where this one was") {
			t.Errorf("%v: exit %d, hint %q", err, got.Code, got.Hint)
		}
	}
}
