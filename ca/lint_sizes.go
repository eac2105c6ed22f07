package ca

// Limits of the service.
const (
	maxLeafSize   = 16 * 1024 // bytes of DER; User Guide, "Quotas", and field reports
	maxAnchorPEM  = 8000      // characters; CreateTrustAnchor, x509CertificateData
	maxChain      = 5         // certificates in X-Amz-X509-Chain; User Guide, "Signing process"
	pemLineLength = 64        // RFC 7468, 2
)

// sizeRules are about the limits of requests.
func sizeRules() []rule {
	return []rule{
		{"leaf-size", Error, leaf, false, "IAM Roles Anywhere User Guide, \"Quotas\"", checkLeafSize},
		{"anchor-size", Warning, anchor, false, "IAM Roles Anywhere API Reference, CreateTrustAnchor", checkAnchorSize},
		{"chain-length", Error, intermediate | leaf, false, signingProcess, checkChainLength},
	}
}

func checkLeafSize(s *subject) []string {
	if n := len(s.Raw); n > maxLeafSize {
		return broken("has %d bytes; a leaf may have %d at most", n, maxLeafSize)
	}
	return nil
}

// checkAnchorSize is a warning, since a root whose intermediates are registered need not be
// registered itself. A root with a key ML-DSA-87 is always too large.
func checkAnchorSize(s *subject) []string {
	if n := pemSize("CERTIFICATE", len(s.Raw)); n > maxAnchorPEM {
		return broken("has %d characters as PEM; a trust anchor may have %d at most", n, maxAnchorPEM)
	}
	return nil
}

// pemSize returns the number of characters of DER as PEM (RFC 7468).
func pemSize(label string, der int) int {
	body := (der + 2) / 3 * 4
	lines := (body + pemLineLength - 1) / pemLineLength
	return len("-----BEGIN -----\n") + len("-----END -----\n") + 2*len(label) + body + lines
}

// checkChainLength counts what a host sends besides its leaf: all issuers but the root, and an
// intermediate that is linted itself.
func checkChainLength(s *subject) []string {
	n := len(s.issuers)
	if n > 0 && isSelfIssued(s.issuers[n-1]) {
		n--
	}
	if s.kind == intermediate {
		n++
	}
	if n > maxChain {
		return broken("has %d intermediates up to its root; a host can send %d at most", n, maxChain)
	}
	return nil
}
