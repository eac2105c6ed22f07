package ca

import (
	"net/netip"
	"time"
)

// The proofs by which a host gets a certificate from an enrollment server.
const (
	ProofToken   = "token"   // a token that the operator made
	ProofRenewal = "renewal" // a signature by the key of the certificate that is renewed
)

// The places of a host's key, as the host names them.
const (
	KeyInFile   = "file"
	KeyInTPM    = "tpm"
	KeyInPKCS11 = "pkcs11"
)

// Enrollment is the proof by which a host gets a certificate. A Recorder with a ledger checks
// the proof and records the certificate in one transaction.
type Enrollment struct {
	Proof string // ProofToken or ProofRenewal
	// Token is the ID of the token, and Secret the SHA-256 of the secret that the host presented: it
	// is compared, and never recorded. Both are nil without a token.
	Token, Secret []byte
	Address       netip.Addr // of the host, as the server saw it; may be invalid if it is unknown
	KeyPlace      string     // KeyInFile, KeyInTPM or KeyInPKCS11; empty: the host did not say
	Hook          string     // what a policy hook said of it; empty: none was asked

	// Grace is for how long after its expiry a certificate can be renewed, and Recoveries how often
	// that is allowed in a lineage; 0: without a limit.
	Grace      time.Duration
	Recoveries int
}
