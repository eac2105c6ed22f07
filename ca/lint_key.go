package ca

// keyRules are about the public key.
func keyRules() []rule {
	return []rule{
		{"key", Error, all | server, false, "NIST SP 800-131A; NIST SP 800-56B, 6.4.1.1; FIPS 186-5; FIPS 204", checkPublicKey},
	}
}

func checkPublicKey(s *subject) []string {
	if err := CheckKey(s.PublicKey); err != nil {
		return broken("has a key that cannot be used: %v", err)
	}
	return nil
}
