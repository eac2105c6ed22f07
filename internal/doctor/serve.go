package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/safefile"
)

// The IDs of the checks of an endpoint on this machine.
const (
	idEndpointVariables = "serve-variables"
	idEndpointToken     = "serve-token"
	idEndpointProxy     = "serve-proxy"
	idEndpointAnswer    = "serve-answer"
)

// The variables by which the SDKs find an endpoint: AWS SDKs and Tools Reference Guide, "Container credential
// provider" and "IMDS credential provider".
const (
	varContainer = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
	varTokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
	varToken     = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
	varMetadata  = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
)

// maxToken bounds what is read of the file of a token, in bytes.
const maxToken = 4 << 10

func serveSteps() []step {
	return []step{
		{idEndpointVariables, "kedge serve", "", (*Examination).judgeVariables},
		{idEndpointToken, "its token", idEndpointVariables, (*Examination).judgeToken},
		{idEndpointProxy, "proxy before it", idEndpointVariables, (*Examination).judgeServeProxy},
		{idEndpointAnswer, "its credentials", idEndpointVariables + " " + idEndpointToken, (*Examination).judgeEndpointAnswer},
	}
}

// variable returns the value of one of the environment.
func (e *Examination) variable(name string) string {
	value, _ := e.Environment.Lookup(name)
	return value
}

// served returns the address of the endpoint that the environment names; nil: there is none. The container's
// goes first, as in the SDKs.
func (e *Examination) served() (address *url.URL, variable string) {
	for _, name := range []string{varContainer, varMetadata} {
		if value := e.variable(name); value != "" {
			u, err := url.Parse(value)
			if err != nil {
				u = &url.URL{}
			}
			return u, name
		}
	}
	return nil, ""
}

// judgeVariables judges the addresses. One that is not of this machine is none of kedge serve, and is not asked.
func (e *Examination) judgeVariables(context.Context) *Finding {
	address, variable := e.served()
	switch {
	case address == nil:
		return ok("the environment names none")
	case address.Hostname() == "":
		return failed(cli.ExitUsage, variable+" is no URL", "set it as kedge serve prints it")
	case !isLoopback(address.Hostname()):
		return ok(variable + " names " + address.Host + ", which is not this machine: it is not asked")
	}
	return ok(variable + " names " + address.Host)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// isServed reports whether the environment names an endpoint on this machine.
func (e *Examination) isServed() bool {
	address, _ := e.served()
	return address != nil && isLoopback(address.Hostname())
}

// judgeToken judges the token of the container endpoint, without showing it.
func (e *Examination) judgeToken(context.Context) *Finding {
	path := e.variable(varTokenFile)
	switch _, variable := e.served(); {
	case !e.isServed() || variable == varMetadata:
		return ok("none is needed")
	case path == "" && e.variable(varToken) == "":
		return failed(cli.ExitFailed, "neither "+varTokenFile+" nor "+varToken+" is set", "set the variables that kedge serve prints at its start")
	case path == "":
		return ok(varToken + " is set")
	}
	token, err := safefile.ReadInput(path, maxToken)
	switch {
	case err != nil:
		f := failed(cli.ExitFailed, varTokenFile+": "+err.Error(), "the file goes with kedge serve: see whether that runs, and set the variables that it prints at its start")
		return f.run("systemctl status kedge-serve.service")
	case len(token) == 0:
		return failed(cli.ExitFailed, path+" is empty", "start kedge serve again, which writes it")
	case strings.ContainsAny(string(token), "\r\n"):
		return warning(path+" has a line ending, which some SDKs send as a part of the token", "write it without").run("perl -pi -e chomp %s", path)
	}
	return ok(path + " can be read")
}

// judgeServeProxy: some SDKs ask a proxy for addresses of this machine, too.
func (e *Examination) judgeServeProxy(context.Context) *Finding {
	if !e.isServed() {
		return ok("no endpoint is used")
	}
	address, _ := e.served()
	wanted := config.NoProxyIn(e.Environment, address.Hostname())
	for _, v := range wanted {
		if have := e.variable(v[0]); have != v[1] {
			f := warning("a proxy is set, and "+v[0]+" does not have "+address.Hostname()+": boto3 and the AWS CLI ask the proxy for it", "set "+v[0]+" for these programs")
			return f.run("export %s", v[0]+"="+v[1])
		}
	}
	return ok("programs ask the endpoint directly")
}

// endpoint is what an endpoint answered.
type endpoint struct {
	status     int
	expiration string
	text       string // of a refusal
	err        error
}

// askEndpoint asks the endpoint as an SDK does.
func (e *Examination) askEndpoint(ctx context.Context) endpoint {
	address, variable := e.served()
	if !e.isServed() {
		return endpoint{}
	}
	ctx, cancel := context.WithTimeout(ctx, e.Limits.Local)
	defer cancel()
	if variable == varMetadata {
		return askMetadata(ctx, address)
	}
	token := e.variable(varToken)
	if path := e.variable(varTokenFile); path != "" {
		data, _ := safefile.ReadInput(path, maxToken) // another check reports the error
		token = strings.TrimRight(string(data), "\r\n")
	}
	return ask(ctx, http.MethodGet, address.String(), "Authorization", token)
}

// judgeEndpointAnswer judges what the endpoint answered.
func (e *Examination) judgeEndpointAnswer(context.Context) *Finding {
	if !e.isServed() {
		return ok("no endpoint is used")
	}
	address, _ := e.served()
	return judgeEndpoint(e.serving(), address.Host, e.Host.Now())
}

// askMetadata asks for credentials as IMDSv2 has them.
func askMetadata(ctx context.Context, address *url.URL) endpoint {
	base := strings.TrimRight(address.String(), "/") + "/latest/"
	token := ask(ctx, http.MethodPut, base+"api/token", "X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
	if token.err != nil || token.status != http.StatusOK {
		return token
	}
	const header = "X-Aws-Ec2-Metadata-Token"
	role := ask(ctx, http.MethodGet, base+"meta-data/iam/security-credentials/", header, token.text)
	if role.err != nil || role.status != http.StatusOK {
		return role
	}
	name, _, _ := strings.Cut(role.text, "\n")
	return ask(ctx, http.MethodGet, base+"meta-data/iam/security-credentials/"+url.PathEscape(name), header, token.text)
}

// ask sends one request to this machine, without a proxy. Of credentials only the end is kept.
func ask(ctx context.Context, method, address, header, value string) (a endpoint) {
	r, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return endpoint{err: errors.New("the address is no URL")}
	}
	r.Header.Set(header, value)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if wrapped, isURL := errors.AsType[*url.Error](err); isURL {
		return endpoint{err: wrapped.Err}
	} else if err != nil {
		return endpoint{err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	a.status, a.err = response.StatusCode, err
	var credentials struct {
		Expiration    string
		AccessKeyId   string
		Code, Message string
		Error         string
	}
	if json.Unmarshal(body, &credentials) == nil && credentials.AccessKeyId != "" {
		a.expiration = credentials.Expiration
		return a
	}
	a.text = strings.TrimSpace(string(body))
	return a
}

// judgeEndpoint judges what an endpoint answered.
func judgeEndpoint(a endpoint, host string, now time.Time) *Finding {
	const start = "see whether kedge serve runs, and set the variables that it prints at its start"
	status := func(f *Finding) *Finding { return f.run("systemctl status kedge-serve.service") }
	expires, err := time.Parse(time.RFC3339, a.expiration)
	switch {
	case a.err != nil && errors.Is(a.err, context.DeadlineExceeded):
		return status(failed(cli.ExitFailed, host+" does not answer in time", start))
	case a.err != nil:
		return status(failed(cli.ExitFailed, host+" does not answer: "+a.err.Error(), start))
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		return failed(cli.ExitRefused, host+" does not take the token", "the token changes with every start: set the variables that kedge serve prints at its start")
	case a.status != http.StatusOK:
		return status(failed(cli.ExitFailed, fmt.Sprintf("%s answers %d: %s", host, a.status, firstLine(a.text)), "the log of kedge serve has the reason"))
	case a.expiration == "" || err != nil:
		return failed(cli.ExitFailed, host+" answers without credentials", "another program listens there: "+start)
	case expires.Before(now):
		return warning(host+" has credentials that have expired", "the log of kedge serve has the reason")
	}
	return ok(fmt.Sprintf("%s has some until %s", host, expires.UTC().Format(time.RFC3339)))
}

// Serves reports whether an endpoint is the one on this machine that the environment names, and answered with
// credentials. It waits for that answer, for which Run asks.
func (e *Examination) Serves(address string) bool {
	named, _ := e.served()
	u, err := url.Parse(address)
	if err != nil || !e.isServed() || u.Host != named.Host {
		return false
	}
	a := e.serving()
	return a.err == nil && a.status == http.StatusOK && a.expiration != ""
}

// firstLine shortens what an endpoint said.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	if len(line) > 200 {
		line = strings.ToValidUTF8(line[:200], "") + "…"
	}
	return line
}
