package config

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
)

// NoProxy is the value of --proxy that ignores the environment.
const NoProxy = "none"

// ProxyVariables are the environment variables about proxies, as net/http takes them: of two
// spellings the one in capitals counts, unless it is empty. ALL_PROXY is not among them: neither
// net/http nor botocore asks it.
type ProxyVariables struct {
	HTTPS, HTTP variable
	No          string
	CGI         bool // HTTP_PROXY may be a header of a request, see golang.org/s/cgihttpproxy
}

// variable is one that is set.
type variable struct{ name, value string }

// ReadProxyVariables reads them with lookup, such as Environment.Lookup.
func ReadProxyVariables(lookup func(name string) (string, bool)) ProxyVariables {
	first := func(names ...string) variable {
		for _, name := range names {
			if value, _ := lookup(name); value != "" {
				return variable{name, value}
			}
		}
		return variable{}
	}
	return ProxyVariables{
		HTTPS: first("HTTPS_PROXY", "https_proxy"),
		HTTP:  first("HTTP_PROXY", "http_proxy"),
		No:    first("NO_PROXY", "no_proxy").value,
		CGI:   first("REQUEST_METHOD").value != "",
	}
}

// ProxyFunc returns the proxy for a request, or nil; see http.Transport.
type ProxyFunc = func(*http.Request) (*url.URL, error)

// Proxy returns how requests find their proxy: at the URL of --proxy, whatever the environment
// says, or at none with "none". Without the flag the environment counts as it does for the AWS SDKs
// and the official helper: HTTPS_PROXY, for an http endpoint HTTP_PROXY, and NO_PROXY. It is nil
// where there is no proxy at all.
//
// The function's error is a *FlagError or a *ProxyVariableError.
func Proxy(flag string, env ProxyVariables) (ProxyFunc, error) {
	if flag == NoProxy || flag == "" && env.HTTPS.value == "" && env.HTTP.value == "" {
		return nil, nil
	}
	if flag == "" {
		return env.proxy, nil
	}
	u, err := parseProxy(flag)
	if err != nil {
		return nil, &FlagError{Flag: "proxy", Err: err}
	}
	return http.ProxyURL(u), nil
}

// errInCGI is that HTTP_PROXY may be the header Proxy of a request: golang.org/s/cgihttpproxy.
var errInCGI = errors.New("HTTP_PROXY is not taken where REQUEST_METHOD is set: it may come from a request")

// proxy is a ProxyFunc. A variable that cannot be used is an error, as soon as it is to be: Go's own
// rule takes no proxy then, and the request goes out where none may.
func (env ProxyVariables) proxy(r *http.Request) (*url.URL, error) {
	counts := env.HTTPS
	if r.URL.Scheme == "http" {
		counts = env.HTTP
	}
	if counts.value == "" {
		return nil, nil
	}
	if withoutProxy(env.No, r.URL) {
		return nil, nil
	}
	if env.CGI && r.URL.Scheme == "http" {
		return nil, errInCGI
	}
	value := counts.value
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	u, err := parseProxy(value)
	if err != nil {
		return nil, &ProxyVariableError{counts.name, err}
	}
	return u, nil
}

// ProxyVariableError is an environment variable that names no proxy. It does not quote the value.
type ProxyVariableError struct {
	Variable string // such as "HTTPS_PROXY"
	Err      error
}

func (e *ProxyVariableError) Error() string { return e.Variable + ": " + e.Err.Error() }
func (e *ProxyVariableError) Unwrap() error { return e.Err }

// ProxyEscapeError is a proxy's URL with a character in its user name or password that must be
// escaped.
type ProxyEscapeError struct{ Character rune }

func (e *ProxyEscapeError) Error() string {
	return fmt.Sprintf("the user name or password has the character %q in it, which must be written %s", e.Character, escaped(e.Character))
}

// parseProxy reads the address of a proxy. No error quotes it: it may hold a password.
func parseProxy(text string) (*url.URL, error) {
	if c, found := unescaped(text); found {
		return nil, &ProxyEscapeError{c}
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("not a URL like http://proxy.example.com:3128")
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
		return u, nil
	}
	return nil, errors.New("the scheme must be http, https or socks5")
}

// unescaped returns the first character before the last @ that cannot stand there as it is: one that
// ends the host, such as # or /, or one outside userinfo of RFC 3986, 3.2.1. @ itself can: net/url
// takes the last one.
func unescaped(text string) (c rune, found bool) {
	_, rest, ok := strings.Cut(text, "://")
	if !ok {
		rest = text
	}
	login := rest[:max(strings.LastIndexByte(rest, '@'), 0)]
	for i, c := range login {
		switch {
		case c == '%' && isHex(login[i+1:]):
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9':
		case c != '%' && strings.ContainsRune("-._~!$&'()*+,;=:@", c):
		default:
			return c, true
		}
	}
	return 0, false
}

// isHex reports whether s begins with two hexadecimal digits.
func isHex(s string) bool {
	return len(s) >= 2 && strings.Trim(s[:2], "0123456789abcdefABCDEF") == ""
}

func escaped(c rune) string {
	var text strings.Builder
	for _, b := range []byte(string(c)) {
		fmt.Fprintf(&text, "%%%02X", b)
	}
	return text.String()
}

// NoProxyFor returns the variables to set for a program that is to reach host, an address of this
// machine, without the proxy of this process's environment, NAME and VALUE each; none if there is
// no proxy. botocore asks a proxy for the metadata of a loopback address, too; Go does not. Python and
// curl take the variable in small letters first: if there is one, it is set as well.
func NoProxyFor(host string) [][2]string { return noProxyFor(host, os.LookupEnv) }

// NoProxyIn is NoProxyFor in another environment.
func NoProxyIn(env Environment, host string) [][2]string { return noProxyFor(host, env.Lookup) }

func noProxyFor(host string, lookup func(name string) (string, bool)) [][2]string {
	if !anyProxy(lookup) {
		return nil
	}
	small, hasSmall := lookup("no_proxy")
	capital, _ := lookup("NO_PROXY")
	if capital == "" {
		capital = small
	}
	variables := [][2]string{{"NO_PROXY", addNoProxy(capital, host)}}
	if hasSmall {
		variables = append(variables, [2]string{"no_proxy", addNoProxy(small, host)})
	}
	return variables
}

// anyProxy reports whether some program may find a proxy in the environment.
func anyProxy(lookup func(name string) (string, bool)) bool {
	for _, name := range [...]string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		upper, _ := lookup(name)
		lower, _ := lookup(strings.ToLower(name))
		if upper != "" || lower != "" {
			return true
		}
	}
	return false
}

// addNoProxy adds a host to a list, which may be "*" for all. Python compares an address of IPv6 in
// its brackets, others do without.
func addNoProxy(list, host string) string {
	if strings.TrimSpace(list) == "*" {
		return list
	}
	entries := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
	wanted := []string{host}
	if strings.Contains(host, ":") {
		wanted = append(wanted, "["+host+"]")
	}
	for _, w := range wanted {
		if slices.Contains(entries, w) {
			continue
		}
		if list != "" {
			list += ","
		}
		list += w
	}
	return list
}
