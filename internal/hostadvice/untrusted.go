package hostadvice

import (
	"fmt"
	"strings"

	"kedge/signer"
	"kedge/signer/session"
)

// maxUnusedNamed is how many certificates that are not sent a hint names; --debug names all.
const maxUnusedNamed = 3

// untrusted is the advice where the service found no path from the certificate to its trust
// anchor: which CA the path leads to, and what was given and is not sent. It is empty for other
// refusals.
func untrusted(e *session.APIError) string {
	message := strings.ToLower(e.Message)
	if e.Identity == nil || !strings.Contains(message, "untrusted") {
		return ""
	}
	if foreign := e.Identity.ForeignSignatures(); len(foreign) > 0 {
		return strings.Join(foreign, "; ") + ": have it issued by a CA with an RSA, EC or ML-DSA key"
	}
	if !strings.Contains(message, "untrusted signing certificate") {
		return ""
	}
	issuer, rootGiven := e.Identity.TopIssuer()
	hint := fmt.Sprintf("the certificates that were sent lead to the CA %q: check that --trust-anchor-arn names the anchor of this CA", issuer)
	related, others, several := unusedOf(e.Identity)
	switch {
	case len(related) > 0:
		hint += "; given and not sent: " + strings.Join(related[:min(len(related), maxUnusedNamed)], "; ")
		others += max(0, len(related)-maxUnusedNamed)
		if several && !rootGiven {
			hint += "; where there are several paths, the one to a root that is given, too, is taken"
		}
	case !rootGiven:
		hint += "; if it is an intermediate, its certificate is missing: give it with --intermediates"
	}
	if others > 0 {
		hint += fmt.Sprintf(" (of those given, %d more are not on the path: --debug lists them)", others)
	}
	return hint
}

// unusedOf describes the certificates that have a name on the path, and counts the others. several
// reports whether there can be several paths: a certificate that cannot be read makes none.
func unusedOf(id *signer.Identity) (related []string, others int, several bool) {
	for _, u := range id.Unused() {
		if u.Related {
			related = append(related, u.String())
			several = several || u.Number == 0
		} else {
			others++
		}
	}
	return related, others, several
}
