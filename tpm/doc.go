// Package tpm makes a key in a TPM 2.0 a crypto.Signer, and makes such keys.
//
// A key is a file in the TSS2 format (which only the TPM that made it can use), or lies in the
// TPM under a persistent handle. Open loads it; any number of goroutines may then sign with it.
// It signs what is given as a digest: ECDSA on P-256 and P-384, and PKCS #1 v1.5 with RSA.
//
// # What it promises
//
//   - An auth value (the TPM's word for a password) never crosses the bus: what needs one is
//     authorized in an HMAC session with the first parameter encrypted. The session is salted
//     to the parent of the key; where that is not known, to the storage root key or a primary
//     key of the null hierarchy. All this is against a probe that listens. One that answers in
//     the TPM's place is another matter: nothing here checks the TPM's own key.
//   - A wrong auth value is tried once. The TPM counts, and locks all its protected keys.
//   - A TPM without resource manager (a socket, /dev/tpm0) has three slots. There, a
//     connection is a lease: what is loaded in it is flushed before it is closed, after a few
//     milliseconds without work or a tenth of a second with, so that others get their turn and
//     no handle can come to mean another's key. With a resource manager the key stays loaded.
//   - When the TPM is reset, or its socket vanishes and returns, the key is loaded again, once.
//   - Every operation ends with its context. The TPM cannot be interrupted; what it has
//     begun is waited for in the background, so that nothing is left in it.
//
// # Choices
//
// The commands are those of go-tpm's package tpm2. Its sessions cut an auth value at its
// first zero byte; ours are bound to what they authorize, where it does not. The transport is
// ours, for go-tpm's has no deadlines and connects to a unix socket anew for each command. Key
// files are parsed here: the package tss2 of go.step.sm/crypto refuses what newer drafts of the
// format have, sends auth values in the clear, tries one parent, and loads the key anew for
// each signature.
//
// A key file whose emptyAuth is wrong is taken at its word. tpm2_encodeobject of tpm2-tools 5.4
// writes it inverted: its -p says that there is no auth value.
package tpm
