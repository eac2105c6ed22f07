package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"kedge/internal/role"
	"kedge/signer/session"
)

// The IDs of the checks of the way to the service.
const (
	idResolve = "dns"
	idConnect = "connection"
	idTLS     = "tls"
	idAnswer  = "answer"
	idClock   = "clock"
)

func networkSteps() []step {
	return []step{
		{idResolve, "name of the service", idProxy + " " + idBundle, func(e *Examination, ctx context.Context) *Finding {
			e.askService(ctx)
			return e.judgeVariant(ctx, e.judgeStep(idResolve))
		}},
		{idConnect, "connection", idResolve, func(e *Examination, _ context.Context) *Finding { return e.judgeStep(idConnect) }},
		{idTLS, "TLS", idConnect, func(e *Examination, _ context.Context) *Finding { return e.judgeStep(idTLS) }},
		{idAnswer, "answer of the service", idTLS, func(e *Examination, _ context.Context) *Finding { return e.judgeStep(idAnswer) }},
		{idClock, "clock", idAnswer, func(e *Examination, _ context.Context) *Finding {
			return judgeClock(e.service.skew, e.service.verified)
		}},
	}
}

// service is the way to the service, and what one request showed of it.
type service struct {
	way      *role.Way
	trace    steps
	proxy    string // host and port; empty: none
	skew     time.Duration
	verified bool // the time is the service's
	err      error
}

// askService sends the one request by which the service's time is asked for, and notes how far it came.
func (e *Examination) askService(ctx context.Context) {
	s := &e.service
	if s.way, s.err = e.role.Way(e.Host); s.err != nil {
		return
	}
	_, s.proxy, _ = e.role.Endpoint()
	ctx, cancel := e.within(ctx, e.Limits.Service)
	defer cancel()
	var err error
	s.skew, err = s.way.Ask(httptrace.WithClientTrace(ctx, s.trace.client()))
	s.verified = err == nil
	if err != nil && s.trace.answered() && !is[*session.NetworkError](err) {
		err = nil // it answered, and its time does not count
	}
	s.err = err
}

// steps are what a request went through.
type steps struct {
	mu        sync.Mutex
	looked    bool // a name was looked up
	addresses []string
	tried     tried  // addresses
	connected string // address
	shaking   bool   // hands, by TLS
	issuer    string // of the server's certificate
	secured   bool
	first     bool // byte of an answer
}

func (s *steps) client() *httptrace.ClientTrace {
	note := func(change func()) {
		s.mu.Lock()
		defer s.mu.Unlock()
		change()
	}
	return &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { note(func() { s.looked = true }) },
		DNSDone: func(d httptrace.DNSDoneInfo) {
			note(func() {
				for _, a := range d.Addrs {
					s.addresses = append(s.addresses, a.IP.String())
				}
			})
		},
		ConnectStart: func(_, address string) { note(func() { s.tried = append(s.tried, address) }) },
		ConnectDone: func(_, address string, err error) {
			note(func() {
				if err == nil {
					s.connected = address
				}
			})
		},
		TLSHandshakeStart: func() { note(func() { s.shaking = true }) },
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			note(func() {
				s.secured = err == nil
				if len(state.PeerCertificates) > 0 {
					s.issuer = state.PeerCertificates[0].Issuer.String()
				}
			})
		},
		GotFirstResponseByte: func() { note(func() { s.first = true }) },
	}
}

// tried are the addresses to which a connection was begun. It is a net.Addr, for an error that names them.
type tried []string

func (tried) Network() string  { return "tcp" }
func (t tried) String() string { return strings.Join(t, ", ") }

func (s *steps) answered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first
}

// ended returns the ID of the step at which a request that failed ended.
func (s *steps) ended() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.first, s.secured:
		return idAnswer
	case s.shaking:
		return idTLS
	case s.connected == "" && s.looked && s.addresses == nil:
		return idResolve
	case s.connected == "":
		return idConnect
	}
	return idAnswer // of plain http, or of the proxy
}

// late is the error of a step that did not end in time, with the addresses that were reached or tried; proxy is
// empty if there is none.
func (s *steps) late(id, host, proxy string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var cause error = context.DeadlineExceeded
	switch {
	case id == idResolve:
		cause = &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Name: hostname(cmp.Or(proxy, host)), IsTimeout: true}}
	case id == idConnect:
		cause = &net.OpError{Op: "dial", Net: "tcp", Addr: s.tried, Err: cause}
	case proxy == "" && s.connected != host:
		host += " (" + s.connected + ")"
	}
	if proxy != "" && is[*net.OpError](cause) {
		cause = &net.OpError{Op: "proxyconnect", Net: "tcp", Err: cause}
	}
	return &session.NetworkError{Host: host, Err: cause}
}

// judgeStep judges one step of the request.
func (e *Examination) judgeStep(id string) *Finding {
	s := &e.service
	if s.err != nil && s.trace.ended() == id {
		return e.judgeFailedStep(id)
	}
	return s.seen(id)
}

// seen is the finding for a step that succeeded.
func (s *service) seen(id string) *Finding {
	s.trace.mu.Lock()
	defer s.trace.mu.Unlock()
	to := "the service"
	if s.proxy != "" {
		to = "the proxy " + s.proxy
	}
	switch {
	case id == idResolve && !s.trace.looked:
		return ok("an address, which needs no name server")
	case id == idResolve:
		return ok(to + " is at " + describeAddresses(s.trace.addresses))
	case id == idConnect:
		return ok("to " + to + ", " + s.trace.connected)
	case id == idTLS && !s.trace.shaking:
		return ok("none: the address is plain http on this machine")
	case id == idTLS:
		return ok(fmt.Sprintf("the server's certificate is of %q", s.trace.issuer))
	}
	return ok(s.way.Endpoint() + " answers")
}

// describeAddresses names addresses, and says so where they are private: then there is a VPC endpoint, or another
// name server than usual.
func describeAddresses(addresses []string) string {
	text := strings.Join(addresses, ", ")
	for _, a := range addresses {
		if ip := net.ParseIP(a); ip != nil && ip.IsPrivate() {
			return text + ", a private address, as of a VPC endpoint"
		}
	}
	return text
}

// judgeFailedStep is the finding for the step at which the request ended.
func (e *Examination) judgeFailedStep(id string) *Finding {
	err := e.service.err
	if anyOf(err, context.DeadlineExceeded) && !is[*session.NetworkError](err) {
		err = &role.RequestError{Err: e.service.trace.late(id, e.service.host(), e.service.proxy)}
	}
	f := e.Advise.failure(err)
	switch id {
	case idResolve:
		return f.run("getent hosts %s", hostname(cmp.Or(e.service.proxy, e.service.host())))
	case idTLS:
		address := e.service.host()
		if hostname(address) == address {
			address += ":443"
		}
		return f.run("openssl s_client -connect %s -servername %s </dev/null", address, hostname(address))
	}
	return f
}

// judgeVariant names the cause where the name of the service does not resolve, and that without FIPS or dual stack
// does. What is left out is as little as can be, and FIPS after dual stack.
func (e *Examination) judgeVariant(ctx context.Context, f *Finding) *Finding {
	if unknown, ok := errors.AsType[*net.DNSError](e.service.err); !ok || !unknown.IsNotFound || e.service.proxy != "" {
		return f
	}
	ctx, cancel := e.within(ctx, e.Limits.Service)
	defer cancel()
	for _, v := range variants(e.Settings.FIPS, e.Settings.DualStack) {
		if name := e.variantHost(v); resolves(ctx, name) {
			f.Command = ""
			f.Seen += "; " + name + " does"
			f.Advice = "there is no such endpoint in " + e.service.way.Region() + ": leave " + v.without + " out, or use a region that has one"
			break
		}
	}
	return f
}

// variant is a choice between the endpoints of AWS in a region.
type variant struct {
	fips, dualStack bool
	without         string // which flags
}

// variants are those with less than was asked for.
func variants(fips, dualStack bool) (less []variant) {
	if dualStack {
		less = append(less, variant{fips: fips, without: "--dual-stack"})
	}
	if fips {
		less = append(less, variant{dualStack: dualStack, without: "--fips"})
	}
	if fips && dualStack {
		less = append(less, variant{without: "--fips and --dual-stack"})
	}
	return less
}

// variantHost is the host of the service for a variant; empty: there is none.
func (e *Examination) variantHost(v variant) string {
	c, err := e.configWith(func(to *role.Settings) {
		to.Region, to.FIPS, to.DualStack = e.Settings.Region, v.fips, v.dualStack
	})
	if err != nil {
		return ""
	}
	address, _, err := c.Endpoint()
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(address, "https://")
}

func resolves(ctx context.Context, name string) bool {
	if name == "" {
		return false
	}
	_, err := net.DefaultResolver.LookupHost(ctx, name)
	return err == nil
}

// host is the host of the service, with its port if that is in the endpoint.
func (s *service) host() string {
	_, host, _ := strings.Cut(s.way.Endpoint(), "://")
	return host
}

// hostname is a host without its port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// maxSkew is what the service accepts: IAM Roles Anywhere User Guide, "Signing process".
const maxSkew = 5 * time.Minute

// judgeClock judges how far this host's clock is behind the service's, which is zero up to a minute.
func judgeClock(skew time.Duration, verified bool) *Finding {
	switch {
	case !verified:
		return ok("the service's time is not known: the connection is not verified")
	case skew == 0:
		return ok("it agrees with the service's to the minute")
	}
	f := warning(role.DescribeSkew(skew), "set the clock: kedge signs with the service's time, and other programs do not")
	if skew.Abs() > maxSkew {
		f.Advice = "set the clock: kedge signs with the service's time, but AWS refuses the requests of other programs from five minutes on"
	}
	return f.run("sudo timedatectl set-ntp true")
}
