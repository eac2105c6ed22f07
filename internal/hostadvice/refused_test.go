package hostadvice

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/enrollclient"
	"kedge/internal/role"
	"kedge/signer"
	"kedge/signer/keyfile"
	"kedge/signer/session"
)

// TestAdvise_refusals has a row for each error that the service is known to give.
func TestAdvise_refusals(t *testing.T) {
	denied := func(message string) *session.APIError {
		return &session.APIError{Status: 403, Code: "AccessDeniedException", Message: message}
	}
	skewed := func(by time.Duration) *session.APIError {
		return &session.APIError{Status: 403, Code: "AccessDeniedException", Message: "Invalid signature", Skew: by}
	}
	tests := []struct {
		err  *session.APIError
		hint string // what it must say
	}{
		{denied("Invalid signature"), "clock"},
		{skewed(400 * time.Second), "clock is 400 seconds behind"},
		{skewed(-400 * time.Second), "clock is 400 seconds ahead"},
		{denied("Untrusted signing certificate"), "--intermediates"},
		{denied("Untrusted certificate. Insufficient certificate"), "digitalSignature"},
		{denied("Certificate revoked"), "revocation list"},
		{denied("Specified Trust Anchor wasn't found."), "the anchor may be disabled"},
		{denied("Invalid or empty profile provided."), "--profile-arn"},
		{denied("Requested Role isn't one of those listed in the Profile."), "add the role ROLE to the profile"},
		{denied("Not authorized to set roleSessionName"), "acceptRoleSessionName"},
		{denied("Unable to assume role for ARN."), "sts:TagSession and sts:SetSourceIdentity"},
		{denied("Unable to assume role for ARN. The requested DurationSeconds exceeds the MaxSessionDuration set for this role."), "--session-duration"},
		{denied("attributes failed to be mapped into session tags"), "character"},
		{denied("something new"), "trust policy"},
		{&session.APIError{Status: 400, Code: "ValidationException", Message: "1 validation error: durationSeconds"}, "--session-duration"},
		{&session.APIError{Status: 400, Code: "ValidationException", Message: "Incorrect basic constraints for CA certificate"}, "CA true"},
		{&session.APIError{Status: 404, Code: "ResourceNotFoundException", Message: "gone"}, "three ARNs"},
		{&session.APIError{Status: 404, Code: "UnknownOperationException"}, "--endpoint"},
		{&session.APIError{Status: 429, Code: "ThrottlingException", Message: "Rate exceeded"}, "10 sessions a second"},
		{&session.APIError{Status: 400, Code: "ThrottlingException", Message: "Rate exceeded"}, "10 sessions a second"},
		{&session.APIError{Status: 418, Code: "Teapot"}, "three ARNs"},
	}
	for _, tt := range tests {
		got := Table().Of(&role.RequestError{Err: tt.err, Role: "ROLE"})
		if got.Code != cli.ExitRefused || !strings.Contains(got.Hint, tt.hint) {
			t.Errorf("%v: exit %d, hint %q, want one with %q", tt.err, got.Code, got.Hint, tt.hint)
		}
	}
	for _, p := range creation() { // that no row hides a later one
		got := Table().Of(&session.APIError{Status: 403, Code: p.code + "Exception", Message: p.message}).Hint
		if got != filled(p.hint)(&session.APIError{}) {
			t.Errorf("%s %q gets another row's hint: %q", p.code, p.message, got)
		}
	}
}

func TestAdvise_others(t *testing.T) {
	const host = "rolesanywhere.eu-west-1.amazonaws.com"
	network := func(err error) error { return &role.RequestError{Err: &session.NetworkError{Host: host, Err: err}} }
	untrusted := func(err error) error { return network(&tls.CertificateVerificationError{Err: err}) }
	key := func(err error) error { return &role.KeyError{Err: err} }
	long := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name string
		err  error
		code int
		hint string
	}{
		{"500", &role.RequestError{Err: &session.APIError{Status: 500, Code: "InternalServerException"}}, cli.ExitFailed, "try again later"},
		{"503 and throttled", &session.APIError{Status: 503, Code: "ThrottlingException"}, cli.ExitFailed, "10 sessions a second"},
		{"no answer of the service", &role.RequestError{Err: &session.ResponseError{Host: host, Problem: "answered HTML"}}, cli.ExitFailed, "captive portal"},
		{"the proxy wants a password", network(&session.ProxyError{Proxy: "proxy:3128", Status: 407}), cli.ExitFailed, "http://USER:PASSWORD@HOST:PORT"},
		{"the proxy refuses the password", network(&session.ProxyError{Proxy: "proxy:3128", Status: 407, Login: true, Schemes: "NTLM, Basic"}), cli.ExitFailed, "does not take the user name and password"},
		{"the proxy wants NTLM", network(&session.ProxyError{Proxy: "proxy:3128", Status: 407, Schemes: "Negotiate, NTLM"}), cli.ExitFailed, "(Basic) alone"},
		{"no such proxy", network(&net.OpError{Op: "proxyconnect", Err: &net.OpError{Op: "dial", Err: os.ErrInvalid}}), cli.ExitFailed, "check the proxy's address"},
		{"the proxy refuses", network(&session.ProxyError{Proxy: "proxy:3128", Status: 403}), cli.ExitFailed, "must allow CONNECT"},
		{"unknown authority", untrusted(x509.UnknownAuthorityError{}), cli.ExitFailed, "--ca-bundle"},
		{"another name", untrusted(x509.HostnameError{Certificate: &x509.Certificate{}, Host: host}), cli.ExitFailed, "another name than " + host},
		{"the server's certificate is old", untrusted(x509.CertificateInvalidError{Reason: x509.Expired}), cli.ExitFailed, "clock"},
		{"no TLS", network(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}), cli.ExitFailed, "does not speak TLS"},
		{"no such name", network(&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}}), cli.ExitFailed, "the name " + host + " does not resolve"},
		{"refused", network(&net.OpError{Op: "dial", Err: os.ErrInvalid}), cli.ExitFailed, "HTTPS_PROXY or --proxy where a proxy is needed"},
		{"timeout", &role.RequestError{Err: &session.TimeoutError{Limit: time.Second, Err: network(context.DeadlineExceeded)}}, cli.ExitFailed, "--timeout"},
		{"refused until the timeout", &role.RequestError{Err: &session.TimeoutError{Limit: time.Second, Err: &session.APIError{Status: 503}}}, cli.ExitFailed, "try again later"},
		{"expired", key(&signer.ValidityError{NotAfter: long, Now: long.Add(1)}), cli.ExitKey, "renew"},
		{"not yet valid", key(&signer.ValidityError{NotBefore: long.Add(1), NotAfter: long.Add(2), Now: long}), cli.ExitKey, "clock"},
		{"expired by the service's clock", key(&signer.ValidityError{NotAfter: long, Now: long.Add(1), ByService: true}), cli.ExitKey, "names the new file"},
		{"not yet valid by the service's clock", key(&signer.ValidityError{NotBefore: long.Add(1), NotAfter: long.Add(2), Now: long, ByService: true}), cli.ExitKey, "the clock of its CA"},
		{"not yet valid, as the server's certificate", key(fmt.Errorf("%w; %w", &signer.ValidityError{NotBefore: long.Add(1), NotAfter: long.Add(2), Now: long},
			untrusted(x509.CertificateInvalidError{Reason: x509.Expired}))), cli.ExitKey, "set this host's clock"},
		{"mismatch", key(&signer.KeyMismatchError{}), cli.ExitKey, "openssl pkey"},
		{"rule", key(&signer.RuleError{Source: "the guide"}), cli.ExitKey, "the guide"},
		{"wrong password", key(fmt.Errorf("k: %w", keyfile.ErrWrongPassword)), cli.ExitKey, "check the password"},
		{"no password", key(fmt.Errorf("k: %w", keyfile.ErrPasswordRequired)), cli.ExitKey, "--key-password-from"},
		{"no key", key(fmt.Errorf("k: %w", signer.ErrNoPrivateKey)), cli.ExitKey, "--private-key"},
		{"no file", key(&fs.PathError{Op: "open", Path: "none", Err: fs.ErrNotExist}), cli.ExitKey, "absolute"},
		{"no permission", key(&fs.PathError{Op: "open", Path: "/none", Err: fs.ErrPermission}), cli.ExitKey, "let the user of this process"},
		{"bundle", &config.BundleError{Setting: "AWS_CA_BUNDLE", Err: errors.New("holds no PEM certificate")}, cli.ExitFailed, "AWS_CA_BUNDLE must name a PEM file"},
		{"no place for a host", &enrollclient.UnmadeError{Dir: "/none", Err: &fs.PathError{Op: "mkdir", Path: "/none", Err: fs.ErrPermission}}, cli.ExitFailed, "; name a folder with --dir"},
		{"a server under another URL", &enrollclient.UntrustedError{Server: "ca", Other: true}, cli.ExitFailed, "kedge-ca token NAME --url URL"},
		{"a server of another CA", &enrollclient.UntrustedError{Server: "ca"}, cli.ExitFailed, "intercepts the connection"},
		{"anything else", errors.New("standard output: no space left on device"), cli.ExitFailed, ""},
	}
	for _, tt := range tests {
		got := Table().Of(tt.err)
		if got.Code != tt.code || !strings.Contains(got.Hint, tt.hint) || (got.Hint == "") != (tt.hint == "") {
			t.Errorf("%s: exit %d, hint %q, want %d and one with %q", tt.name, got.Code, got.Hint, tt.code, tt.hint)
		}
	}
}

// Hints are one line each: they end the output, and SDKs quote it.
func TestPhrases_oneLine(t *testing.T) {
	t.Parallel()
	for _, p := range slices.Concat(creation(), assumption()) {
		if strings.Contains(p.hint, "\n") {
			t.Errorf("%q", p.hint)
		}
	}
}
