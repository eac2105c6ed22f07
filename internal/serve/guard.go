package serve

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// refusal is why a request is refused.
type refusal struct {
	status int
	why    string
}

func (f *refusal) answer(at endpoint, method string) answer {
	a := refuseWith(at, method, f.status, f.why)
	a.why = "refused: " + f.why
	return a
}

// foreignHost is the reason for refusing an unknown Host header.
const foreignHost = "a Host header that is neither an address of this endpoint nor one of its names"

// guard refuses requests that no SDK on this machine sends: forwarded by a proxy, sent by a web
// page whose own host name points here (DNS rebinding), with a body, or with a non-canonical path.
func (s *Server) guard(r *http.Request) *refusal {
	switch {
	case r.URL.Host != "" || r.URL.Path == "" || r.URL.Path[0] != '/':
		return &refusal{http.StatusBadRequest, "a request to a proxy"}
	case r.Header["X-Forwarded-For"] != nil || r.Header["Forwarded"] != nil:
		return &refusal{http.StatusForbidden, "a forwarded request"}
	case !s.knowsHost(r):
		return &refusal{http.StatusForbidden, foreignHost}
	case r.URL.RawPath != "" || strings.Contains(r.URL.Path, "//") || strings.Contains(r.URL.Path, "/."):
		return &refusal{http.StatusNotFound, "a non-canonical path"}
	case hasBody(r):
		return &refusal{http.StatusRequestEntityTooLarge, "a request with a body"}
	}
	return nil
}

// knowsHost reports whether the Host header is an address of this endpoint: loopback, the
// link-local ones of EC2 and ECS, the local address of the connection, or a configured name. Ports
// are ignored: a container's may be published under another.
func (s *Server) knowsHost(r *http.Request) bool {
	host := r.Host
	address, err := netip.ParseAddrPort(host)
	if err == nil {
		return isOwn(address.Addr(), r)
	}
	if name, port, err := net.SplitHostPort(host); err == nil && strings.Trim(port, "0123456789") == "" {
		host = name
	}
	if bare, err := netip.ParseAddr(unbracket(host)); err == nil {
		return isOwn(bare, r)
	}
	return s.hosts[strings.ToLower(strings.TrimSuffix(host, "."))]
}

// withOneSlash returns r with one slash at the beginning of its path: some clients append "/latest/..."
// to the endpoint, which ends with a slash (aws/aws-cli#9281). Slashes elsewhere stay.
func withOneSlash(r *http.Request) *http.Request {
	if !strings.HasPrefix(r.URL.Path, "//") {
		return r
	}
	clean, address := *r, *r.URL
	address.Path = "/" + strings.TrimLeft(address.Path, "/")
	clean.URL = &address
	return &clean
}

func unbracket(host string) string {
	if inside, ok := strings.CutPrefix(host, "["); ok {
		if inside, ok = strings.CutSuffix(inside, "]"); ok {
			return inside
		}
	}
	return host
}

func isOwn(a netip.Addr, r *http.Request) bool {
	a = a.Unmap().WithZone("")
	if a.IsLoopback() {
		return true
	}
	switch a.String() {
	// EC2 (IMDS), ECS and EKS, in IPv4 and IPv6: the addresses that SDKs use by default, if a
	// firewall rule redirects them here.
	case "169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23":
		return true
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && local.AddrPort().Addr().Unmap().WithZone("") == a
}

// hasBody reads at most one byte if the length is not announced: some clients send an empty chunked
// body.
func hasBody(r *http.Request) bool {
	if r.ContentLength >= 0 {
		return r.ContentLength > 0
	}
	n, _ := r.Body.Read(make([]byte, 1))
	return n > 0
}
