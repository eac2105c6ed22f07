package main

import (
	"context"
	"crypto/x509"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kedge/internal/doctor"
)

// deadListener returns an address at which nothing is accepted, and the system drops what asks for a connection, as a
// firewall does: its queue, which is as short as can be, is full.
func deadListener(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	must(t, err)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	must(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	must(t, err)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port))
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		cancel()
		if err != nil {
			return address
		}
		t.Cleanup(func() { _ = c.Close() })
	}
}

// TestDoctor_dead: addresses that drop everything are named, with the cause, in no more than the time of the limits.
func TestDoctor_dead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.enroll()
	address := deadListener(t)
	s.profile["endpoint"] = "https://" + strings.Replace(address, "127.0.0.1", "localhost", 1)
	s.record(func(r map[string]any) { r["server"] = "https://" + address })
	s.env = append(s.env, "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://"+address)
	s.limits = doctor.Limits{Service: 200 * time.Millisecond, Local: 200 * time.Millisecond}
	report, _, code := s.run()
	if got := s.result(report, "connection"); got.State != doctor.Failed || !strings.Contains(got.Seen, address) || !strings.Contains(got.Seen, "it takes too long") || code != 1 {
		t.Errorf("%+v, exit code %d\n%s", got, code, problems(report))
	}
	for _, id := range []string{"serve-answer", "enrollment-server"} {
		if got := s.result(report, id); got.State == doctor.OK || !strings.Contains(got.Seen, address) {
			t.Errorf("%+v", got)
		}
	}
}

// TestDoctor_deadExpired: of a certificate that has expired, that is the fault, and not the silence of the service,
// whose time would count.
func TestDoctor_deadExpired(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.issue(func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
	})
	s.profile["endpoint"], s.profile["timeout"] = "https://"+deadListener(t), "200ms"
	s.limits = doctor.Limits{Service: 200 * time.Millisecond}
	report, _, code := s.run()
	for _, c := range report.Checks {
		if c.State == doctor.Failed && c.ID != "certificate-validity" && c.ID != "connection" {
			t.Errorf("%+v", c)
		}
	}
	if got := s.result(report, "certificate-validity"); got.State != doctor.Failed || code != 4 {
		t.Errorf("%+v, exit code %d", got, code)
	}
}
