package ca

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxCommonName is the limit of X.520, in characters (RFC 5280, appendix A,
// ub-common-name).
const maxCommonName = 64

// isName reports whether text can be a common name from which the service makes session tags.
func isName(text string) bool {
	_, bad := untaggable(text)
	return !bad && strings.TrimSpace(text) != "" && utf8.RuneCountInString(text) <= maxCommonName
}

// isDNSName reports whether text is a host name of RFC 1123, as RFC 5280, 4.2.1.6 requires in a
// dNSName: letters, digits and hyphens in labels of at most 63, 253 in all. A wildcard is not: no
// session tag could contain its asterisk. Neither is a name that ends in a number, such as
// 10.0.0.1: it could be taken for an address that no range allowed (RFC 1123, 2.1).
func isDNSName(text string) bool {
	if text == "" || len(text) > 253 {
		return false
	}
	numeric := false
	for label := range strings.SplitSeq(text, ".") {
		numeric = strings.Trim(label, "0123456789") == ""
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if !isAlphanumeric(c) && c != '-' {
				return false
			}
		}
	}
	return !numeric
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// isMailbox reports whether text is a Mailbox of RFC 5321, 4.1.2 whose local part is not
// quoted and whose domain is a host name.
func isMailbox(text string) bool {
	local, domain, ok := strings.Cut(text, "@")
	if !ok || !isDNSName(domain) || len(local) > 64 {
		return false
	}
	for atom := range strings.SplitSeq(local, ".") {
		if atom == "" {
			return false
		}
		for _, c := range []byte(atom) {
			if !isAlphanumeric(c) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", rune(c)) {
				return false
			}
		}
	}
	return true
}

// checkURI checks a URI against RFC 5280, 4.2.1.6, and one with the scheme spiffe against the
// SPIFFE ID standard, section 2.
func checkURI(u *url.URL) error {
	text := u.String()
	fail := func(why string) error { return fmt.Errorf("the URI %q cannot be in a certificate: %s", text, why) }
	host := u.Hostname()
	switch {
	case !isASCII(text):
		return fail("it must be ASCII; write other characters as %XX")
	case u.Scheme == "":
		return fail("it needs a scheme, such as https: or spiffe:")
	case u.Opaque == "" && u.Host == "" && u.Path == "":
		return fail("nothing follows the scheme")
	case u.Host != "" && !isDNSName(host) && !isIP(host) && u.Scheme != "spiffe":
		return fail("its host is not a host name")
	case u.User != nil:
		return fail("it names a user; only a host belongs before the path")
	case u.Scheme != "spiffe" && hasDotSegment(u.Path):
		return fail("its path has the segment . or .., by which it leads elsewhere than it seems to")
	case u.Scheme == "spiffe" && !isSPIFFE(u):
		return fail("it is not a SPIFFE ID: spiffe://TRUST-DOMAIN/PATH, the domain in lower case, without port, query or a slash at the end")
	}
	return nil
}

// hasDotSegment: RFC 3986, 3.3. A pattern could match such a path as one below another.
func hasDotSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

func isSPIFFE(u *url.URL) bool {
	switch {
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.RawPath != "" || !isTrustDomain(u.Host):
		return false
	case u.Path == "":
		return true // the trust domain itself
	case hasDotSegment(u.Path):
		return false
	}
	for segment := range strings.SplitSeq(u.Path[1:], "/") {
		if segment == "" || strings.Trim(segment, spiffeHost+"ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
			return false
		}
	}
	return true
}

// spiffeHost are the characters of a trust domain.
const spiffeHost = "abcdefghijklmnopqrstuvwxyz0123456789-._"

func isTrustDomain(host string) bool {
	return host != "" && len(host) <= 255 && strings.Trim(host, spiffeHost) == ""
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}

func isIP(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

// checkCRLURLs checks the URLs of a CRL against RFC 5280, 4.2.1.13. An https server whose own
// certificate depends on the CRL is not detected; the operator must avoid it.
func checkCRLURLs(urls []string) error {
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.String() != text || checkURI(u) != nil || u.Hostname() == "" {
			return fmt.Errorf("the CRL address %q is not an http or https URL", text)
		}
	}
	return nil
}
