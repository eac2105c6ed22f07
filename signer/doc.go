// Package signer has the identity that signs a CreateSession request, and what it signs.
//
// Who: an [Identity] is a private key, the leaf certificate that belongs to it and the
// intermediates to send with it. It exists only if the key fits the leaf, the leaf fits the
// rules of IAM Roles Anywhere and all of it is valid in time, so that a request signed with
// it is refused, if at all, for reasons that the service alone can check. A [Source] gives the
// identity of the moment; [FileSource] reads it from files again when they change.
//
// What: [Sign] is Signature Version 4 with an X.509 key, a pure function of request,
// identity, region and time.
//
// A private key is any [crypto.Signer] that honours the contract of that interface: Sign
// gets a digest (for ML-DSA, which has none, the message). Where the key lives is not this
// package's business. Nothing here prints, prompts, reads the environment or the clock.
//
// Identity values are immutable and safe for concurrent use as far as their key is;
// FileSource is safe for concurrent use.
package signer
