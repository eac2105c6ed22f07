package enrollapi

import (
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"time"

	"kedge/signer"
)

// Proof shows that its sender has the key of a certificate; see signer.Possession.
type Proof struct {
	Leaf      []byte `json:"leaf"`     // DER
	Date      string `json:"date"`     // 20060102T150405Z
	Audience  string `json:"audience"` // hash of the key of the CA's root, in hexadecimal
	Signature []byte `json:"signature"`
}

// Prove signs p with key.
func Prove(p signer.Possession, key crypto.Signer) (Proof, error) {
	signature, err := p.Sign(key)
	if err != nil {
		return Proof{}, err
	}
	return Proof{
		Leaf: p.Leaf.Raw, Date: p.At.UTC().Format(dateFormat),
		Audience: hex.EncodeToString(p.Audience[:]), Signature: signature,
	}, nil
}

// Possession returns what must have been signed for the proof to be valid: leaf is the certificate as
// the CA has it, whose bytes are those of Leaf. The error is an *Error for the sender.
func (p Proof) Possession(path string, leaf *x509.Certificate, body []byte) (signer.Possession, error) {
	at, err := time.Parse(dateFormat, p.Date)
	if err != nil {
		return signer.Possession{}, &Error{Code: BadRequest, Message: "the date must have the form " + dateFormat}
	}
	out := signer.Possession{Path: path, Leaf: leaf, Body: body, At: at}
	audience, err := hex.DecodeString(p.Audience)
	if err != nil || len(audience) != len(out.Audience) {
		return signer.Possession{}, &Error{Code: BadRequest, Message: "the audience must be a SHA-256 hash in hexadecimal"}
	}
	copy(out.Audience[:], audience)
	return out, nil
}
