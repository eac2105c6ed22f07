// Package ca is a trust anchor made for IAM Roles Anywhere: it makes a root whose
// certificate the service takes as an anchor, and leaves that CreateSession accepts, and
// refuses before it signs what the service would refuse after.
//
// An [Authority] is a CA certificate and the crypto.Signer that belongs to it; where that
// key lives is not this package's business. Time and randomness enter as parameters or from
// crypto/rand; nothing here reads files, prints or prompts. Authority values are immutable
// and safe for concurrent use as far as their key is.
package ca
