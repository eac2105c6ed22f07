package enrollapi

// The places of a key, as the host reports them.
const (
	InFile   = "file"
	InTPM    = "tpm"
	InPKCS11 = "pkcs11"
)

// EnrollRequest asks for the first certificate of a host.
type EnrollRequest struct {
	Token    TokenProof `json:"token"`
	Request  []byte     `json:"request"` // PKCS#10, signed by the key that is to be certified
	KeyPlace string     `json:"key_place"`
	Version  string     `json:"version"` // of kedge on the host
}

// TokenProof is what of a token goes to the server.
type TokenProof struct {
	ID     []byte `json:"id"`
	Secret Secret `json:"secret"`
}

// ApprovalRequest asks for the first certificate of a host without a token. The operator of the CA
// approves it, by its RequestID; until then the host sends the same again.
type ApprovalRequest struct {
	Request  []byte `json:"request"`           // PKCS#10, signed by the key that is to be certified
	Profile  string `json:"profile,omitempty"` // empty: the default one of the CA
	KeyPlace string `json:"key_place"`
	Version  string `json:"version"` // of kedge on the host
}

// Waiting is the answer to an ApprovalRequest on which nobody has decided.
type Waiting struct {
	ID        string `json:"id"`         // the RequestID, in hexadecimal
	PollAfter int64  `json:"poll_after"` // seconds until the host sends it again
}

// RenewRequest asks for the next certificate of a host that has one. The possession is of the key of
// Leaf; its body is Request.
type RenewRequest struct {
	Proof
	Request  []byte `json:"request"` // PKCS#10, signed by the key that is to be certified, which may be the same
	KeyPlace string `json:"key_place"`
	Version  string `json:"version"`
}

// UnenrollRequest asks to revoke the certificate of a host. The possession has no body.
type UnenrollRequest struct{ Proof }

// Answer carries the certificate of a host and what the host does with it.
type Answer struct {
	Certificate []byte   `json:"certificate"`     // DER
	Chain       [][]byte `json:"chain,omitempty"` // the CAs between it and the root, the issuer first
	Bundle      [][]byte `json:"bundle"`          // the roots that the host trusts from now on
	Name        string   `json:"name"`
	Profile     string   `json:"profile"`
	Serial      string   `json:"serial"` // in hexadecimal
	Renew       Window   `json:"renew"`
	AWS         *AWS     `json:"aws,omitempty"`
}

// Window specifies when the host renews next, in seconds from the answer on, so that the host's clock does
// not count.
type Window struct {
	After  int64 `json:"after"`
	Before int64 `json:"before"`
}

// AWS names what the host needs to get credentials.
type AWS struct {
	TrustAnchorARN string `json:"trust_anchor_arn"`
	ProfileARN     string `json:"profile_arn"`
	RoleARN        string `json:"role_arn"`
	Region         string `json:"region"`
}

// Unenrolled names the certificate that was revoked.
type Unenrolled struct {
	Serial string `json:"serial"` // in hexadecimal
}

// CA is what a server states about its CA. Nobody trusts it because of that.
type CA struct {
	Bundle   [][]byte `json:"bundle"`
	Audience string   `json:"audience"` // hash of the root's key, in hexadecimal
}
