package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"kedge/internal/cache"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/credfile"
	"kedge/internal/filelock"
	"kedge/internal/process"
	"kedge/internal/serve"
	"kedge/signer"
	"kedge/signer/keyfile"
	"kedge/signer/session"
)

// keyError says that the private key or the certificate cannot be used, whatever the cause.
type keyError struct{ error }

func (e *keyError) Unwrap() error { return e.error }

// filesError knows better than the error alone what to do: it comes from where the files are known.
type filesError struct {
	error
	hint string
}

func (e *filesError) Unwrap() error { return e.error }

// requestError says how the request that failed was made, as far as the advice depends on it.
type requestError struct {
	error
	chained                            bool   // STS is asked, too
	region, trustAnchor, profile, role string // as given
}

func (e *requestError) Unwrap() error { return e.error }

// wrongRegion is the advice where another region signs than the trust anchor's, or empty.
func (e *requestError) wrongRegion() string {
	anchor, err := session.ParseARN(e.trustAnchor)
	if err != nil || e.region == "" || e.region == anchor.Region {
		return ""
	}
	return fmt.Sprintf("--region %s signs for %[1]s, but the trust anchor is in %s", e.region, anchor.Region)
}

// advise is the one table of what to do about an error: the exit code, and the next step.
func advise(err error) cli.Advice {
	if start, ok := errors.AsType[*process.StartError](err); ok {
		return cli.Advice{Code: start.Code(), Hint: startHint(start)}
	}
	if key, ok := errors.AsType[*keyError](err); ok {
		return cli.Advice{Code: cli.ExitKey, Hint: keyHint(key.error)}
	}
	if try, ok := errors.AsType[*tryError](err); ok {
		return cli.Advice{Code: try.code(), Hint: "nothing was written; correct what was said, or add --no-check to write the profile all the same"}
	}
	if profile, ok := errors.AsType[*profileError](err); ok {
		return cli.Advice{Code: cli.ExitFailed, Hint: profileHint(profile.error)}
	}
	if create, ok := errors.AsType[*createError](err); ok {
		return createAdvice(create.error)
	}
	request, ok := errors.AsType[*requestError](err)
	if !ok {
		request = &requestError{}
	}
	if api, ok := errors.AsType[*session.APIError](err); ok && api.Status < http.StatusInternalServerError {
		return cli.Advice{Code: cli.ExitRefused, Hint: refusalHint(api, request)}
	}
	if hint := serveHint(err); hint != "" {
		return cli.Advice{Code: cli.ExitFailed, Hint: hint}
	}
	if bundle, ok := errors.AsType[*config.BundleError](err); ok {
		return cli.Advice{Code: cli.ExitFailed, Hint: bundleHint(bundle)}
	}
	if hint := cacheHint(err); hint != "" {
		return cli.Advice{Code: cli.ExitFailed, Hint: hint}
	}
	return cli.Advice{Code: cli.ExitFailed, Hint: request.endpoints(networkHint(err, request))}
}

// cacheHint is the advice where there is no cache to work with.
func cacheHint(err error) string {
	if folder, ok := errors.AsType[*cache.FolderError](err); ok {
		return "name another folder with --cache, or have this one owned by the user of this process with mode 0700: " + folder.Dir
	}
	if errors.Is(err, errNoCache) {
		return "name the folder with --cache DIR"
	}
	return ""
}

// keyHint is the advice for a key or certificate that cannot be used.
func keyHint(err error) string {
	if files, ok := errors.AsType[*filesError](err); ok {
		return files.hint
	}
	if validity, ok := errors.AsType[*signer.ValidityError](err); ok {
		if validity.ByService || badServerTime(err) {
			return clockHint(validity)
		}
		if validity.Expired() {
			return "renew the certificate; if it was renewed, check that --certificate names the new file and that this host's clock is right"
		}
		return "check this host's clock; if it is right, wait, or have the certificate issued again"
	}
	if hint := hardwareHint(err); hint != "" {
		return hint
	}
	if _, ok := errors.AsType[*signer.KeyMismatchError](err); ok {
		return `give the two files that were made together; "openssl pkey -in KEY -pubout" and "openssl x509 -in CERT -noout -pubkey" print the same for them`
	}
	if rule, ok := errors.AsType[*signer.RuleError](err); ok {
		return "have the certificate issued with what the service asks for: " + rule.Source
	}
	switch {
	case errors.Is(err, keyfile.ErrWrongPassword):
		return "check the password: one line ending at the end of a password file is left out, anything else counts"
	case errors.Is(err, keyfile.ErrPasswordRequired), errors.Is(err, cli.ErrNoTerminal):
		return "set --key-password-from to PATH, fd:N, env:NAME or -"
	case errors.Is(err, signer.ErrNoPrivateKey):
		return "give the file of the private key with --private-key"
	}
	return fileHint(err)
}

// profileHint is the advice for a file of profiles that cannot be changed. It is as it was.
func profileHint(err error) string {
	if _, ok := errors.AsType[*filelock.HeldError](err); ok {
		return "find out which process has the file open: it should have it for a moment only"
	}
	if _, ok := errors.AsType[*rivalError](err); ok {
		return "write another profile, with --profile NAME, or remove the setting"
	}
	if _, ok := errors.AsType[*unreadableError](err); ok {
		return "correct that line; nothing was written"
	}
	if _, ok := errors.AsType[*credfile.EncodingError](err); ok {
		return "save the file as UTF-8 without a byte order mark; nothing was written"
	}
	switch {
	case errors.Is(err, syscall.EISDIR):
		return folderHint
	case errors.Is(err, syscall.EBUSY):
		return "the file is a mount point, which cannot be replaced: mount its folder instead"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "make room on the disk; the file is as it was"
	case errors.Is(err, fs.ErrPermission):
		return profileAccessHint(err)
	}
	return ""
}

func profileAccessHint(err error) string {
	path, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return ""
	}
	const need = "the file is replaced, so the user of this process must be able to write to it and its folder"
	if access := config.DescribeAccess(path.Path); access != "" {
		return need + "; " + access
	}
	return need
}

// serveHint is the advice for what serve needs of this machine.
func serveHint(err error) string {
	if _, ok := errors.AsType[*foreignTokenError](err); ok {
		return "give --token-file a new file, or remove this one if nobody needs it"
	}
	if _, ok := errors.AsType[*tokenFileError](err); ok {
		return "name a file in a folder that only this user can write, with --token-file"
	}
	if _, ok := errors.AsType[*serve.HopLimitError](err); ok {
		return "let the process set the options IP_TTL and IPV6_UNICAST_HOPS of its sockets: there is no flag to serve without the limit"
	}
	listen, ok := errors.AsType[*listenError](err)
	switch {
	case !ok:
		return ""
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program listens there, perhaps another kedge serve: end it, or choose another --" + listen.flag
	case errors.Is(err, syscall.EACCES):
		return "ports below 1024 are for root: choose a --" + listen.flag + " above"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine has no such address: 127.0.0.1, ::1 and 0.0.0.0 are always there"
	}
	return "choose another --" + listen.flag
}

func bundleHint(err *config.BundleError) string {
	if hint := fileHint(err.Err); hint != "" {
		return hint
	}
	return err.Setting + " must name a PEM file with the certificates of the CAs to trust"
}

// refusalHint is the advice for what the service says. The texts are those of the table "Errors
// seen" in the field; the service may change them, so each is searched for by its core.
func refusalHint(e *session.APIError, request *requestError) string {
	if hint := request.wrongRegion(); hint != "" && strings.EqualFold(e.Message, "Invalid signature") {
		return hint
	}
	if e.Skew != 0 && strings.Contains(e.Message, "ignature") {
		return skewHint(e.Skew)
	}
	if e.RoleARN != "" {
		return chainHint(e)
	}
	if hint := untrustedHint(e); hint != "" {
		return hint
	}
	for _, row := range refusals(request) {
		if strings.Contains(strings.ToLower(e.Message), row.message) && strings.HasPrefix(e.Code, row.code) {
			return row.hint
		}
	}
	if e.Throttled() {
		return "a region takes about 10 sessions a second from an account: try again later, and keep credentials until they expire"
	}
	switch e.Status {
	case http.StatusForbidden:
		return "check that the trust anchor and the profile are enabled, that the certificate is in date and has at most 5 intermediates, and that the role's trust policy lets rolesanywhere.amazonaws.com assume it"
	case http.StatusNotFound:
		return "check the three ARNs and the region, and --endpoint if it is given: the service knows no such resource there"
	}
	return "check the three ARNs, --session-duration and --role-session-name"
}

func skewHint(skew time.Duration) string {
	return describeSkew(skew) + ", which accepts 300: set the clock"
}

type refusal struct{ code, message, hint string }

// refusals is a function and not a variable so that no run pays for it that is not refused.
func refusals(request *requestError) []refusal {
	const denied = "AccessDenied"
	return []refusal{
		{denied, "invalid signature", "check this host's clock, and that nothing between here and the service changes the request"},
		{denied, "untrusted signing certificate", "the trust anchor's CA did not issue this certificate, or an intermediate is missing: give it with --intermediates, and check that --trust-anchor-arn names the anchor of this CA"},
		{denied, "insufficient certificate", "the certificate must be a leaf with the key usage digitalSignature, CA false and a non-empty subject: have it issued again"},
		{denied, "certificate revoked", "the certificate is on a revocation list of the trust anchor: get a new key and certificate"},
		{denied, "specified trust anchor wasn't found", "check --trust-anchor-arn " + request.trustAnchor + ": its id, account and region; the anchor may be deleted or in another region"},
		{denied, "invalid or empty profile", "check --profile-arn " + request.profile + ": it may be disabled, deleted or in another region than the trust anchor"},
		{denied, "isn't one of those listed in the profile", "add the role " + request.role + " to the profile " + request.profile + ", or correct --role-arn or --profile-arn"},
		{denied, "not authorized to set rolesessionname", "leave --role-session-name out, or set acceptRoleSessionName on the profile"},
		{denied, "exceeds the maxsessionduration", "lower --session-duration, or raise the role's maximum session duration"},
		{denied, "unable to assume role", "the role's trust policy must allow rolesanywhere.amazonaws.com sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity, and its conditions must fit this trust anchor (aws:SourceArn) and certificate (aws:PrincipalTag)"},
		{"", "mapped into session tags", "a name in the certificate has a character that session tags cannot have, such as & or a parenthesis: have it issued without"},
		{"Validation", "basic constraints", "the trust anchor's certificate must be a CA: basicConstraints CA true, keyUsage keyCertSign"},
		{"Validation", "", "the message names the field: check the three ARNs, --session-duration (900 to 43200) and --role-session-name"},
		{"ResourceNotFound", "", "check the three ARNs and the region: the trust anchor or the profile may be deleted or in another region"},
	}
}

// networkHint is the advice where there was no answer, or none that makes sense.
func networkHint(err error, request *requestError) string {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return tlsHint(err)
	}
	if proxy, ok := errors.AsType[*session.ProxyError](err); ok {
		return proxyHint(proxy)
	}
	if _, ok := errors.AsType[*session.ResponseError](err); ok {
		return "something other than the service answered: check --endpoint and --region, and whether a proxy or a captive portal is in between"
	}
	if api, ok := errors.AsType[*session.APIError](err); ok {
		if api.Throttled() {
			return refusalHint(api, request)
		}
		return "the service has trouble: try again later"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		return `check the proxy's address, in --proxy or HTTPS_PROXY; hosts in NO_PROXY are asked without it, and "--proxy none" uses none`
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "the address does not speak TLS: check --endpoint"
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return "the name " + dns.Name + " does not resolve here: check --region or --endpoint, and the DNS servers of this host"
	}
	if timeout(err) {
		return "the network may drop the packets: check routes and firewalls to the service, HTTPS_PROXY or --proxy where a proxy is needed, or raise --timeout"
	}
	if noAnswer(err) {
		return "check the network, --endpoint or --region, and HTTPS_PROXY or --proxy where a proxy is needed"
	}
	return ""
}

func proxyHint(e *session.ProxyError) string {
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

func tlsHint(err error) string {
	if host, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the server's certificate is for another name than " + host.Host + ": check --endpoint, and whether a proxy is in between"
	}
	if badServerTime(err) {
		return "the server's certificate has expired or is not valid yet by this host's clock: set the clock, if it is wrong"
	}
	return "if a proxy or a private CA signs the server's certificate, give its CA with --ca-bundle PATH or AWS_CA_BUNDLE"
}

func noAnswer(err error) bool {
	_, ok := errors.AsType[*session.NetworkError](err)
	return ok || timeout(err)
}

func timeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// startHint is the advice for a command that cannot be run.
func startHint(err *process.StartError) string {
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		return `if it is a script, its first line must name its interpreter, as in "#!/bin/sh"`
	case errors.Is(err, exec.ErrNotFound) && strings.ContainsAny(err.Name, " \t"):
		return "give the command and its arguments as separate words, or run: sh -c '...'"
	case errors.Is(err, exec.ErrNotFound):
		return "it is in no folder of PATH"
	case err.Found && errors.Is(err, fs.ErrNotExist):
		return "the file is there, but not the interpreter that its first line names, or the loader that it was built for"
	case errors.Is(err, fs.ErrNotExist):
		return noFileHere(err.Name)
	case errors.Is(err, fs.ErrPermission):
		return "the file must be executable: chmod +x"
	}
	return ""
}
