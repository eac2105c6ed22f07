// Package ca is a certificate authority made for IAM Roles Anywhere: it makes roots and
// intermediates that the service takes as trust anchors, and leaves that CreateSession
// accepts, and refuses before it signs what the service would refuse after.
//
// An [Authority] is a CA certificate, the crypto.Signer that belongs to it and the
// certificates above. A [ProfileConfig] becomes a [Profile], which says what leaves are like.
// Preparing a certificate checks everything and returns a [Prepared], which alone can be
// issued, and once: it is signed, verified, given to a [Recorder], and only then returned.
//
// Where a key lives is not this package's business. Time enters as a parameter and randomness
// comes from crypto/rand; nothing here reads files, prints or prompts. Authority, Profile and
// Prepared values are safe for concurrent use as far as their key is. Certificates that are
// passed in or returned must not be changed.
package ca
