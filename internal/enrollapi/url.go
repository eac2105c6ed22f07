package enrollapi

import (
	"errors"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// maxURL bounds the URL of a server, in bytes.
const maxURL = 512

// CheckURL checks the URL of a server: https, a host, perhaps a port and a path, nothing else, and
// written in the one way that a token carries. The error names its fault.
func CheckURL(text string) error {
	if len(text) > maxURL {
		return errors.New("the URL has more than " + strconv.Itoa(maxURL) + " bytes")
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }) {
		return errors.New("a URL has only printable ASCII characters, no spaces and no backslash")
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return errors.New("a URL has the form https://HOST[:PORT][/PATH]")
	}
	if problem := urlProblem(u, text); problem != "" {
		return errors.New(problem)
	}
	return checkPort(u)
}

// urlProblem returns what the URL of a server must not have, or have otherwise.
func urlProblem(u *url.URL, text string) string {
	switch {
	case u.Scheme != "https":
		return "the URL must start with https://"
	case u.Hostname() == "" || strings.Contains(u.Host, "%"):
		return "the URL has no host, or one with a zone"
	case u.User != nil:
		return "the URL must have no user and no password"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(text, "#"):
		return "the URL must have no query and no fragment"
	case u.Path != "" && (path.Clean(u.Path) != u.Path || strings.HasSuffix(u.Path, "/")):
		return "the path of the URL must have no slash at the end, no empty parts and no dots"
	case u.String() != text:
		return "the URL must be written as " + u.String()
	}
	return ""
}

func checkPort(u *url.URL) error {
	if !strings.HasSuffix(u.Host, ":"+u.Port()) {
		return nil
	}
	if n, err := strconv.Atoi(u.Port()); err != nil || n < 1 || n > 65535 {
		return errors.New("the port of the URL must be between 1 and 65535")
	}
	return nil
}
