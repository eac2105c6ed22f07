package session

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// ProxyError reports that the proxy did not connect to the service, or refused a request because it
// does not accept the login. It is the cause in a NetworkError, unless HTTPClient is set.
//
// Source: RFC 9110, 9.3.6 and 11.7.
type ProxyError struct {
	Proxy   string // host and port, never the user name and password
	Status  int    // of HTTP, such as 407
	Login   bool   // a user name was sent
	Schemes string // ways to log in that a 407 offers, such as "Negotiate, NTLM", as far as they are known
}

func (e *ProxyError) Error() string {
	text := fmt.Sprintf("the proxy %s answered %s", e.Proxy, statusText(e.Status))
	if e.Schemes != "" {
		text += ", wants " + e.Schemes
	}
	return text
}

// TakesBasic reports whether the proxy may take a user name and password, which is the one way in
// which net/http logs in.
func (e *ProxyError) TakesBasic() bool {
	return e.Schemes == "" || strings.Contains(e.Schemes, "Basic")
}

func newProxyError(proxy *url.URL, resp *http.Response) *ProxyError {
	e := &ProxyError{Proxy: proxy.Host, Status: resp.StatusCode, Login: proxy.User != nil}
	if e.Status == http.StatusProxyAuthRequired {
		e.Schemes = strings.Join(authSchemes(resp.Header.Values("Proxy-Authenticate")), ", ")
	}
	return e
}

// proxyRefusal returns the error that an answer to a request of plain http is, if it is the proxy's:
// there a proxy answers in the service's place. It is nil for other answers.
func (cfg *Config) proxyRefusal(req *http.Request, resp *http.Response) error {
	if resp.StatusCode != http.StatusProxyAuthRequired || cfg.Proxy == nil || req.URL.Scheme != "http" {
		return nil
	}
	proxy, err := cfg.Proxy(req)
	if proxy == nil || err != nil {
		return err
	}
	return newProxyError(proxy, resp)
}

// authSchemes finds the schemes of challenges, by their registered names: nothing else of what a
// proxy sends reaches a message. A header can have several, and commas in a quoted realm.
//
// Source: RFC 9110, 11.3; IANA, HTTP Authentication Schemes. NTLM is of [MS-NTHT].
func authSchemes(challenges []string) []string {
	var found []string
	for _, challenge := range challenges {
		quoted := false
		parts := strings.FieldsFunc(challenge, func(r rune) bool {
			quoted = quoted != (r == '"')
			return r == ',' && !quoted
		})
		for _, part := range parts {
			word, _, _ := strings.Cut(strings.TrimSpace(part), " ")
			for _, scheme := range [...]string{"Basic", "Bearer", "Digest", "Kerberos", "Negotiate", "NTLM"} {
				if strings.EqualFold(word, scheme) && !slices.Contains(found, scheme) {
					found = append(found, scheme)
				}
			}
		}
	}
	return found
}
