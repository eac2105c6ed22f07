// Package ca is a certificate authority for IAM Roles Anywhere: it issues roots and
// intermediates that the service accepts as trust anchors, and leaves that CreateSession
// accepts. It signs nothing that the service would refuse.
//
// An [Authority] is a CA certificate, the crypto.Signer that belongs to it and the
// certificates above. A [ProfileConfig] becomes a [Profile], which specifies the leaves that are issued.
// Preparing a certificate checks everything and returns a [Prepared]. Only that can be
// issued, once: it is signed, verified, passed to a [Recorder], and only then returned.
//
// The location of a key does not concern this package. Time is a parameter and randomness
// comes from crypto/rand; nothing here reads files, prints or prompts. Authority, Profile and
// Prepared values are safe for concurrent use as far as their key is. Certificates that are
// passed in or returned must not be changed.
package ca
