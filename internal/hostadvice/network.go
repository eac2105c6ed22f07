package hostadvice

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"

	"kedge/internal/advice"
	"kedge/internal/role"
	"kedge/signer/session"
)

// network is about a request that has no answer, or none that makes sense.
func network() advice.Table {
	rows := advice.Table{
		{Fits: is[*tls.CertificateVerificationError], Hint: badServer},
		advice.About(badProxy),
		advice.When(largeHeaders, "what answered takes no long headers, and the certificates are sent in those: have the host's certificate and the intermediates issued with fewer names, or have that server or proxy take longer ones"),
		advice.Kind[*session.ResponseError]("something other than the service answered: check --endpoint and --region, and whether a proxy or a captive portal is in between"),
		advice.Kind[*session.APIError]("the service has trouble: try again later"),
		advice.When(toProxy, proxyAddress),
		advice.Kind[tls.RecordHeaderError]("the address does not speak TLS: check --endpoint"),
		advice.About(func(e *net.DNSError) string {
			return "the name " + e.Name + " does not resolve here: check --region or --endpoint, and the DNS servers of this host"
		}),
		advice.When(timeout, "the network may drop the packets: check routes and firewalls to the service, HTTPS_PROXY or --proxy where a proxy is needed, or raise --timeout"+SeeDoctor),
		advice.Kind[*session.NetworkError]("check the network, --endpoint or --region, and HTTPS_PROXY or --proxy where a proxy is needed" + SeeDoctor),
	}
	for i, row := range rows {
		rows[i].Hint = func(err error) string { return bothEndpoints(row.Hint(err), err) }
	}
	return advice.In[*role.RequestError](rows...)
}

// largeHeaders reports whether the request had more headers than a server on the way takes.
func largeHeaders(err error) bool {
	return is[*session.ResponseError](err) && as[*session.ResponseError](err).Status == http.StatusRequestHeaderFieldsTooLarge
}

const proxyAddress = `check the proxy's address, in --proxy or HTTPS_PROXY; hosts in NO_PROXY are asked without it, and "--proxy none" uses none`

// toProxy reports whether it is the proxy to which there is no connection.
func toProxy(err error) bool {
	return is[*net.OpError](err) && as[*net.OpError](err).Op == "proxyconnect"
}

// bothEndpoints names both addresses in an advice about one, if two services are asked.
func bothEndpoints(hint string, err error) string {
	if !as[*role.RequestError](err).Chained {
		return hint
	}
	return strings.ReplaceAll(hint, "--endpoint", "--endpoint and --sts-endpoint")
}

func badProxy(e *session.ProxyError) string {
	switch {
	case e.Status != http.StatusProxyAuthRequired:
	case !e.TakesBasic():
		return "kedge logs in to a proxy with a user name and password (Basic) alone: name a proxy on this host that does the rest, such as cntlm, or have this one let the service's host through without a login"
	case e.Login:
		return "the proxy does not take the user name and password: check them in --proxy or HTTPS_PROXY, with special characters written as %XX"
	default:
		return "the proxy asks who you are: set HTTPS_PROXY, or --proxy, to http://USER:PASSWORD@HOST:PORT"
	}
	return "the proxy does not connect to the service: it must allow CONNECT to its host and port; check also --endpoint and --region"
}

func badServer(err error) string {
	if host, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the server's certificate is for another name than " + host.Host + ": check --endpoint, and whether a proxy is in between"
	}
	if badServerTime(err) {
		return "the server's certificate has expired or is not valid yet by this host's clock: set the clock, if it is wrong"
	}
	return "if a proxy or a private CA signs the server's certificate, give its CA with --ca-bundle PATH or AWS_CA_BUNDLE; a container needs the CA certificates of a system, such as Debian's package ca-certificates"
}

// badServerTime reports whether the server was refused because its certificate is out of its validity
// by this host's clock.
func badServerTime(err error) bool {
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	return ok && invalid.Reason == x509.Expired
}

func timeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout() || errors.Is(err, context.DeadlineExceeded)
}
