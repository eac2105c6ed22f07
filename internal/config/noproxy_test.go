package config

import (
	"net/url"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/http/httpproxy"
)

func TestWithoutProxy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		list, address string
		want          bool
	}{
		{"", "https://aws.example", false},
		{"aws.example", "https://aws.example", true},
		{"aws.example", "https://sts.AWS.example", true},
		{"aws.example", "https://notaws.example", false},
		{".aws.example", "https://aws.example", false},
		{".aws.example", "https://sts.aws.example", true},
		{"*.aws.example", "https://sts.aws.example", true},
		{"*.aws.example", "https://aws.example", false},
		{"*aws.example", "https://sts.aws.example", false},
		{"a, *", "https://aws.example", true},
		{" A.example ,aws.example:443", "https://aws.example", true},
		{"aws.example:443", "http://aws.example", false},
		{"aws.example:8443", "https://aws.example:8443", true},
		{"aws.example:", "https://aws.example:8443", true},
		{":443,,", "https://aws.example", false},
		{"10.0.0.0/8", "https://10.9.8.7", true},
		{"10.0.0.0/8", "https://11.9.8.7", false},
		{"10.0.0.0/8", "https://aws.example", false},
		{"10.9.8.7:443", "https://10.9.8.7", true},
		{"10.9.8.7:80", "https://10.9.8.7", false},
		{"8.7", "https://10.9.8.7", false},
		{"fd00::/8", "https://[fd00::1]", true},
		{"fd00::1", "https://[fd00::1]:1", true},
		{"[fd00::1]:443", "https://[fd00::1]", true},
		{"", "https://[::1]:1", true},
		{"", "https://127.8.8.8", true},
		{"", "https://localhost:1", true},
		{"", "https://localhost.example", false},
		{"Bücher.example", "https://www.bücher.example", true},
	} {
		u, err := url.Parse(tt.address)
		if err != nil {
			t.Fatal(err)
		}
		if got := withoutProxy(tt.list, u); got != tt.want {
			t.Errorf("%q, %s: got %t", tt.list, tt.address, got)
		}
		if theirs := goWithoutProxy(tt.list, u); theirs != tt.want {
			t.Errorf("%q, %s: httpproxy says %t", tt.list, tt.address, theirs)
		}
	}
}

func goWithoutProxy(list string, u *url.URL) bool {
	rules := httpproxy.Config{HTTPSProxy: "http://proxy", HTTPProxy: "http://proxy", NoProxy: list}
	proxy, err := rules.ProxyFunc()(u)
	return err == nil && proxy == nil
}

// FuzzWithoutProxy: as the rules of net/http say, for any list and host in ASCII.
func FuzzWithoutProxy(f *testing.F) {
	f.Add("aws.example, .b:80,*.c,*", "sts.aws.example", "443")
	f.Add("10.0.0.0/8,1.2.3.4:5,[::1]:6,fd00::/8", "10.0.0.1", "")
	f.Add("[fd00::1],fd00::1%eth0,..,.:1,:2", "[fd00::1%25eth0]", "5")
	f.Add("*.,a b,a.", "a.", "")
	f.Fuzz(func(t *testing.T, list, host, port string) {
		if strings.ContainsFunc(list+host, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsPrint(r) }) {
			return
		}
		for _, scheme := range []string{"http://", "https://"} {
			u, err := url.Parse(scheme + host + ":" + port)
			if err != nil || u.Hostname() == "" || strings.ContainsAny(u.Hostname(), "[] ") {
				return
			}
			if ours, theirs := withoutProxy(list, u), goWithoutProxy(list, u); ours != theirs {
				t.Errorf("%q, %s: %t, httpproxy says %t", list, u, ours, theirs)
			}
		}
	})
}
