package ca

import (
	"net/netip"
	"time"
)

// The proofs by which a host gets a certificate from an enrollment server.
const (
	ProofToken    = "token"    // a token that the operator made
	ProofApproval = "approval" // the operator has approved the request
	ProofRenewal  = "renewal"  // a signature by the key of the certificate that is renewed
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
	Proof string // ProofToken, ProofApproval or ProofRenewal
	// Token is the ID of the token or approval; nil for a renewal.
	Token []byte
	// Secret is the SHA-256 of the secret of a token that the host presented, and Request that of the
	// request which needs an approval: its key, names and profile. They are compared, and not recorded.
	Secret, Request []byte
	Address         netip.Addr // of the host, as the server saw it; may be invalid if it is unknown
	KeyPlace        string     // KeyInFile, KeyInTPM or KeyInPKCS11; empty: the host did not say
	Hook            string     // what a policy hook said of it; empty: none was asked

	// Grace is for how long after its expiry a certificate can be renewed, and Recoveries how often
	// that is allowed in a lineage; 0: without a limit.
	Grace      time.Duration
	Recoveries int
}
