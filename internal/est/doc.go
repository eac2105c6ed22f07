// Package est is what devices and the enrollment server say to each other in EST, Enrollment over
// Secure Transport (RFC 7030 and RFC 8951): paths, media types, and the bodies of requests and answers.
// It decides nothing. It is safe for concurrent use.
package est

// Path is where a server answers: at Path/OPERATION, or Path/LABEL/OPERATION (RFC 7030, 3.2.2).
const Path = "/.well-known/est"

// The operations (RFC 7030, 3.2.2).
const (
	CACerts        = "cacerts"        // GET the certificates of the CA
	CSRAttrs       = "csrattrs"       // GET what a request should have
	SimpleEnroll   = "simpleenroll"   // POST a certificate request
	SimpleReenroll = "simplereenroll" // POST one by whom has a certificate
	FullCMC        = "fullcmc"        // POST a request of RFC 5272
	ServerKeyGen   = "serverkeygen"   // POST, for a key besides
)

// The media types (RFC 7030, 3.2.4).
const (
	RequestType = "application/pkcs10"
	// CertsOnlyType is that of certificates in CertsOnly.
	CertsOnlyType = "application/pkcs7-mime; smime-type=certs-only"
	// TextType is that of refusals.
	TextType = "text/plain; charset=utf-8"
)

// IsLabel reports whether a text can be a label: one part of a path, and not the name of an operation.
func IsLabel(text string) bool {
	switch text {
	case CACerts, CSRAttrs, SimpleEnroll, SimpleReenroll, FullCMC, ServerKeyGen, ".", "..":
		return false
	}
	for _, r := range text {
		if !isLabelRune(r) {
			return false
		}
	}
	return text != "" && len(text) <= maxLabel
}

const maxLabel = 64 // bytes

func isLabelRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_' || r == '~'
}
