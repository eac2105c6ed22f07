package emulator

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/mldsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"time"

	"kedge/internal/emulator/wire"
)

// The algorithms of CreateSession (guide, "authentication-sign-process", task 2).
const (
	algorithmRSA   = "AWS4-X509-RSA-SHA256"
	algorithmECDSA = "AWS4-X509-ECDSA-SHA256"
	algorithmMLDSA = "AWS4-X509-MLDSA"
)

const rolesService = "rolesanywhere"

// authenticate verifies that the request was signed, just now and for this service, with the key of
// the leaf it carries. It does not verify the leaf.
func (e *Emulator) authenticate(r wire.Request, query []wire.Pair, sent *sentCertificates, now time.Time) (wire.Authorization, *wire.Error) {
	auth, err := r.Authorization()
	if err != nil {
		return auth, wire.Denied(textSignature, "%v", err)
	}
	if refusal := checkSignedHeaders(r, auth.SignedHeaders, sent); refusal != nil {
		return auth, refusal
	}
	date := r.Header.Get("X-Amz-Date")
	if refusal := checkDate(date, now); refusal != nil {
		return auth, refusal
	}
	if refusal := e.checkCredential(auth.Credential, date, sent.leaf); refusal != nil {
		return auth, refusal
	}
	canonical, err := r.Canonical(query, auth.SignedHeaders)
	if err != nil {
		return auth, wire.Denied(textSignature, "%v", err)
	}
	message := wire.StringToSign(auth.Algorithm, date, auth.Credential.Scope(), canonical)
	if why := verifySignature(auth, sent.leaf, message); why != "" {
		refusal := wire.Denied(textSignature, "%s", why)
		refusal.Canonical = canonical
		return auth, refusal
	}
	return auth, nil
}

// checkSignedHeaders: the guide's "authentication-sign-process" adds both X509 headers to those
// that must be signed; a Content-Type header must be signed as well (IAM guide, "Create a canonical
// request"), which the service itself may not enforce.
func checkSignedHeaders(r wire.Request, signed []string, sent *sentCertificates) *wire.Error {
	must := []string{"x-amz-date", "x-amz-x509"}
	if len(sent.chain) > 0 {
		must = append(must, "x-amz-x509-chain")
	}
	if len(r.Header["Content-Type"]) > 0 {
		must = append(must, "content-type")
	}
	if name := r.Repeated(); name != "" {
		return wire.Denied(textSignature, "the header %s stands more than once", name)
	}
	if name := r.Unsigned(signed, must...); name != "" {
		return wire.Denied(textSignature, "the header %q is not among the SignedHeaders", name)
	}
	if !r.BodyHashMatches() {
		return wire.Denied(textSignature, "X-Amz-Content-Sha256 is not the hash of the body that arrived")
	}
	return nil
}

func checkDate(date string, now time.Time) *wire.Error {
	at, err := wire.ParseDate(date)
	if err != nil {
		return wire.Denied(textSignature, "X-Amz-Date %.40q is not YYYYMMDDTHHMMSSZ", date)
	}
	if skew := at.Sub(now); skew > wire.MaxSkew || skew < -wire.MaxSkew {
		return wire.Denied(textSignature, "the request is dated %s, the clock here says %s; %s is allowed", date, now.UTC().Format(wire.DateFormat), wire.MaxSkew)
	}
	return nil
}

func (e *Emulator) checkCredential(c wire.Credential, date string, leaf *x509.Certificate) *wire.Error {
	switch {
	case c.Date != date[:8]:
		return wire.Denied(textSignature, "the Credential is of %s, X-Amz-Date of %s", c.Date, date[:8])
	case c.Service != rolesService:
		return wire.Denied(textSignature, "the Credential is for the service %q, not %q", c.Service, rolesService)
	case c.Terminator != wire.Terminator:
		return wire.Denied(textSignature, "the Credential ends with %q, not %q", c.Terminator, wire.Terminator)
	case c.Region != e.config.Region && !e.resources.HasRegion(c.Region): // its own is there without an anchor, too
		return wire.Denied(textSignature, "the Credential is for the region %q, where this service is not", c.Region)
	case c.Key != leaf.SerialNumber.String():
		return wire.Denied(textSignature, "the Credential names the serial number %q; the leaf's is %s, in decimal", c.Key, leaf.SerialNumber)
	}
	return nil
}

// verifySignature returns why the signature is wrong, or "".
func verifySignature(auth wire.Authorization, leaf *x509.Certificate, message string) string {
	signature, err := hex.DecodeString(auth.Signature)
	if err != nil {
		return "the signature is not hexadecimal"
	}
	digest := sha256.Sum256([]byte(message))
	var want string
	var valid bool
	switch key := leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		want = algorithmRSA
		valid = rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil // RFC 8017 8.2.2
	case *ecdsa.PublicKey:
		want = algorithmECDSA
		valid = ecdsa.VerifyASN1(key, digest[:], signature) // SEC 1 C.8; SHA-256 on every curve
	case *mldsa.PublicKey:
		want = algorithmMLDSA
		valid = mldsa.Verify(key, []byte(message), signature, nil) == nil // FIPS 204 algorithm 3, empty context
	default:
		return "the leaf's key is neither RSA, nor ECDSA, nor ML-DSA"
	}
	if auth.Algorithm != want {
		return "the algorithm is " + auth.Algorithm + "; the leaf's key wants " + want
	}
	if !valid {
		return "the signature does not verify with the leaf's key; compare the canonical request"
	}
	return ""
}
