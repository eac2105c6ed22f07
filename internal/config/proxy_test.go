package config

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// variables is an environment.
type variables map[string]string

func (v variables) lookup(name string) (string, bool) {
	value, ok := v[name]
	return value, ok
}

// proxyOf is the proxy for a request to the address, or an empty string.
func proxyOf(t *testing.T, flag string, env variables, address string) (string, error) {
	t.Helper()
	proxy, err := Proxy(flag, ReadProxyVariables(env.lookup))
	if proxy == nil || err != nil {
		return "", err
	}
	request, err := http.NewRequest("POST", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := proxy(request)
	if u == nil {
		return "", err
	}
	return u.String(), err
}

// TestProxy: which proxy is used; the flag comes before the environment.
func TestProxy(t *testing.T) {
	t.Parallel()
	const aws = "https://rolesanywhere.eu-west-1.amazonaws.com"
	const p, q = "http://proxy:3128", "http://other:3128"
	for _, tt := range []struct {
		name, flag    string
		env           variables
		address, want string
	}{
		{"nothing", "", nil, aws, ""},
		{"flag", p, nil, aws, p},
		{"flag with a login", "https://user:secret@proxy", nil, aws, "https://user:secret@proxy"},
		{"flag with a login escaped", "http://corp%5Cuser:%23%2F%40@proxy:1", nil, aws, "http://corp%5Cuser:%23%2F%40@proxy:1"},
		{"SOCKS", "socks5://proxy:1080", nil, aws, "socks5://proxy:1080"},
		{"flag and variable", p, variables{"HTTPS_PROXY": q, "NO_PROXY": "*"}, aws, p},
		{"flag for loopback", p, nil, "http://127.0.0.1:1", p},
		{"none", "none", variables{"HTTPS_PROXY": q}, aws, ""},
		{"none and a broken variable", "none", variables{"HTTPS_PROXY": "http://a b@c"}, aws, ""},
		{"variable", "", variables{"HTTPS_PROXY": p}, aws, p},
		{"small letters", "", variables{"https_proxy": p}, aws, p},
		{"both", "", variables{"HTTPS_PROXY": p, "https_proxy": q}, aws, p},
		{"capitals are empty", "", variables{"HTTPS_PROXY": "", "https_proxy": q}, aws, q},
		{"without scheme", "", variables{"HTTPS_PROXY": "10.0.0.1:3128"}, aws, "http://10.0.0.1:3128"},
		{"login without scheme", "", variables{"HTTPS_PROXY": "me:secret@proxy:3128"}, aws, "http://me:secret@proxy:3128"},
		{"HTTP_PROXY is for http", "", variables{"HTTP_PROXY": p}, aws, ""},
		{"HTTP_PROXY for http", "", variables{"HTTP_PROXY": p}, "http://aws.example", p},
		{"HTTPS_PROXY is for https", "", variables{"HTTPS_PROXY": p}, "http://aws.example", ""},
		{"ALL_PROXY", "", variables{"ALL_PROXY": p, "all_proxy": p}, aws, ""},
		{"NO_PROXY", "", variables{"HTTPS_PROXY": p, "NO_PROXY": "localhost, .amazonaws.com"}, aws, ""},
		{"NO_PROXY in small letters", "", variables{"HTTPS_PROXY": p, "no_proxy": "rolesanywhere.eu-west-1.amazonaws.com:443"}, aws, ""},
		{"NO_PROXY of another host", "", variables{"HTTPS_PROXY": p, "NO_PROXY": "sts.amazonaws.com,10.0.0.0/8"}, aws, p},
		{"NO_PROXY of a network", "", variables{"HTTPS_PROXY": p, "NO_PROXY": "10.0.0.0/8"}, "https://10.1.2.3", ""},
		{"NO_PROXY of all", "", variables{"HTTPS_PROXY": p, "NO_PROXY": "*"}, aws, ""},
		{"loopback", "", variables{"HTTPS_PROXY": p}, "https://127.0.0.1:1", ""},
		{"localhost", "", variables{"HTTPS_PROXY": p}, "https://localhost:1", ""},
		{"a broken variable for a host without proxy", "", variables{"HTTPS_PROXY": "http://a b@c", "NO_PROXY": ".amazonaws.com"}, aws, ""},
	} {
		if got, err := proxyOf(t, tt.flag, tt.env, tt.address); err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

// TestProxy_refused: the character to escape is named, of what else is in the URL nothing is said.
func TestProxy_refused(t *testing.T) {
	t.Parallel()
	const noURL = "not a URL like http://proxy.example.com:3128"
	escape := func(c, as string) string {
		return "the user name or password has the character " + c + " in it, which must be written " + as
	}
	for _, tt := range []struct{ value, want string }{
		{"http://me:pa%hunter2@proxy:3128", escape("'%'", "%25")},
		{"http://me:hunter2%@proxy:3128", escape("'%'", "%25")},
		{`http://corp\me:hunter2@proxy:3128`, escape(`'\\'`, "%5C")},
		{"http://me:hunter2#x@proxy:3128", escape("'#'", "%23")},
		{"http://me:hunter2/x@proxy:3128", escape("'/'", "%2F")},
		{"http://me:12/hunter2@proxy:3128", escape("'/'", "%2F")},
		{"http://me:hunter2?@proxy:3128", escape("'?'", "%3F")},
		{"http://me:hun ter2@proxy:3128", escape("' '", "%20")},
		{"http://me:hunter2[@proxy:3128", escape("'['", "%5B")},
		{"http://me:hünter2@proxy:3128", escape("'ü'", "%C3%BC")},
		{"http://me:hunter2\n@proxy:3128", escape(`'\n'`, "%0A")},
		{"http://me:hunter2@proxy:port", noURL},
		{"http://me:hunter2@", noURL},
		{"http://:3128", noURL},
		{"ftp://me:hunter2@proxy", "the scheme must be http, https or socks5"},
	} {
		for flag, env := range map[string]variables{tt.value: nil, "": {"https_proxy": tt.value}} {
			prefix := "--proxy: "
			if flag == "" {
				prefix = "https_proxy: "
			}
			_, err := proxyOf(t, flag, env, "https://aws.example")
			if err == nil || err.Error() != prefix+tt.want || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q: got %v, want %s%s", tt.value, err, prefix, tt.want)
			}
			if _, ok := errors.AsType[*ProxyVariableError](err); ok != (flag == "") {
				t.Errorf("%q: %T", tt.value, err)
			}
		}
	}
	for _, flag := range []string{"proxy:3128", "/secret", "None"} {
		if _, err := proxyOf(t, flag, nil, "https://aws.example"); err == nil || err.Error() != "--proxy: "+noURL {
			t.Errorf("--proxy %s: %v", flag, err)
		}
	}
	if _, err := proxyOf(t, "", variables{"HTTP_PROXY": "http://proxy", "REQUEST_METHOD": "GET"}, "http://aws.example"); err == nil {
		t.Error("HTTP_PROXY may be a header in CGI, and was taken")
	}
}

func TestNoProxyFor(t *testing.T) {
	t.Parallel()
	const p = "http://me:hunter2@proxy:3128"
	for _, tt := range []struct {
		name, host string
		env        variables
		want       []string
	}{
		{"no proxy", "127.0.0.1", variables{"NO_PROXY": "a"}, nil},
		{"an empty proxy", "127.0.0.1", variables{"http_proxy": ""}, nil},
		{"a proxy", "127.0.0.1", variables{"http_proxy": p}, []string{"NO_PROXY=127.0.0.1"}},
		{"for https", "127.0.0.1", variables{"HTTPS_PROXY": p}, []string{"NO_PROXY=127.0.0.1"}},
		{"for all", "127.0.0.1", variables{"all_proxy": p}, []string{"NO_PROXY=127.0.0.1"}},
		{"merged", "127.0.0.1", variables{"HTTP_PROXY": p, "NO_PROXY": "a, b"}, []string{"NO_PROXY=a, b,127.0.0.1"}},
		{"there", "127.0.0.1", variables{"HTTP_PROXY": p, "NO_PROXY": "a 127.0.0.1"}, []string{"NO_PROXY=a 127.0.0.1"}},
		{"all hosts", "127.0.0.1", variables{"HTTP_PROXY": p, "NO_PROXY": "*"}, []string{"NO_PROXY=*"}},
		{"in small letters", "127.0.0.1", variables{"HTTP_PROXY": p, "no_proxy": "a"}, []string{"NO_PROXY=a,127.0.0.1", "no_proxy=a,127.0.0.1"}},
		{"in both", "127.0.0.1", variables{"HTTP_PROXY": p, "NO_PROXY": "a", "no_proxy": "b"}, []string{"NO_PROXY=a,127.0.0.1", "no_proxy=b,127.0.0.1"}},
		{"empty in small letters, which hides the other from Python", "127.0.0.1", variables{"HTTP_PROXY": p, "NO_PROXY": "a", "no_proxy": ""}, []string{"NO_PROXY=a,127.0.0.1", "no_proxy=127.0.0.1"}},
		{"IPv6", "::1", variables{"HTTP_PROXY": p, "NO_PROXY": "a"}, []string{"NO_PROXY=a,::1,[::1]"}},
	} {
		var got []string
		for _, v := range noProxyFor(tt.host, tt.env.lookup) {
			got = append(got, v[0]+"="+v[1])
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
