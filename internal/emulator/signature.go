package emulator

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/mldsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"time"
)

// The algorithms of CreateSession (guide, "authentication-sign-process", task 2).
const (
	algorithmRSA   = "AWS4-X509-RSA-SHA256"
	algorithmECDSA = "AWS4-X509-ECDSA-SHA256"
	algorithmMLDSA = "AWS4-X509-MLDSA"
)

const (
	maxSkew      = 5 * time.Minute // IAM guide, "Request signature lifetime"
	dateFormat   = "20060102T150405Z"
	terminator   = "aws4_request"
	rolesService = "rolesanywhere"
)

// authenticate verifies that the request was signed, just now and for this service, with the key of
// the leaf it carries. It does not verify the leaf.
func (e *Emulator) authenticate(r wireRequest, query []pair, sent *sentCertificates, now time.Time) (authorization, *apiError) {
	auth, err := r.authorization()
	if err != nil {
		return auth, denied(textSignature, "%v", err)
	}
	if refusal := r.checkSignedHeaders(auth.signedHeaders, sent); refusal != nil {
		return auth, refusal
	}
	date := r.header.Get("X-Amz-Date")
	if refusal := checkDate(date, now); refusal != nil {
		return auth, refusal
	}
	if refusal := e.checkCredential(auth.credential, date, sent.leaf); refusal != nil {
		return auth, refusal
	}
	canonical, err := r.canonical(query, auth.signedHeaders)
	if err != nil {
		return auth, denied(textSignature, "%v", err)
	}
	message := stringToSign(auth.algorithm, date, auth.credential.scope(), canonical)
	if why := verifySignature(auth, sent.leaf, message); why != "" {
		refusal := denied(textSignature, "%s", why)
		refusal.canonical = canonical
		return auth, refusal
	}
	return auth, nil
}

func (r wireRequest) authorization() (authorization, error) {
	value, err := r.once("Authorization")
	if err != nil {
		return authorization{}, err
	}
	return parseAuthorization(value)
}

// checkSignedHeaders: the guide's "authentication-sign-process" adds both X509 headers to those
// that must be signed; a Content-Type header must be signed as well (IAM guide, "Create a canonical
// request"), which the service itself may not enforce.
func (r wireRequest) checkSignedHeaders(signed []string, sent *sentCertificates) *apiError {
	must := []string{"x-amz-date", "x-amz-x509"}
	if len(sent.chain) > 0 {
		must = append(must, "x-amz-x509-chain")
	}
	if len(r.header["Content-Type"]) > 0 {
		must = append(must, "content-type")
	}
	if name := r.repeated(); name != "" {
		return denied(textSignature, "the header %s stands more than once", name)
	}
	if name := r.unsigned(signed, must...); name != "" {
		return denied(textSignature, "the header %q is not among the SignedHeaders", name)
	}
	if hash := r.header.Get("X-Amz-Content-Sha256"); hash != "" {
		if sum := sha256.Sum256(r.body); hash != hex.EncodeToString(sum[:]) {
			return denied(textSignature, "X-Amz-Content-Sha256 is not the hash of the body that arrived")
		}
	}
	return nil
}

func checkDate(date string, now time.Time) *apiError {
	at, err := parseDate(date)
	if err != nil {
		return denied(textSignature, "X-Amz-Date %.40q is not YYYYMMDDTHHMMSSZ", date)
	}
	if skew := at.Sub(now); skew > maxSkew || skew < -maxSkew {
		return denied(textSignature, "the request is dated %s, the clock here says %s; %s is allowed", date, now.UTC().Format(dateFormat), maxSkew)
	}
	return nil
}

// parseDate accepts only the basic form; time.Parse would accept fractions of a second as well.
func parseDate(date string) (time.Time, error) {
	if len(date) != len(dateFormat) {
		return time.Time{}, errors.New("not YYYYMMDDTHHMMSSZ")
	}
	return time.Parse(dateFormat, date)
}

func (e *Emulator) checkCredential(c credential, date string, leaf *x509.Certificate) *apiError {
	switch {
	case c.date != date[:8]:
		return denied(textSignature, "the Credential is of %s, X-Amz-Date of %s", c.date, date[:8])
	case c.service != rolesService:
		return denied(textSignature, "the Credential is for the service %q, not %q", c.service, rolesService)
	case c.terminator != terminator:
		return denied(textSignature, "the Credential ends with %q, not %q", c.terminator, terminator)
	case !e.servesRegion(c.region):
		return denied(textSignature, "the Credential is for the region %q, where no trust anchor is", c.region)
	case c.key != leaf.SerialNumber.String():
		return denied(textSignature, "the Credential names the serial number %q; the leaf's is %s, in decimal", c.key, leaf.SerialNumber)
	}
	return nil
}

// verifySignature returns why the signature is wrong, or "".
func verifySignature(auth authorization, leaf *x509.Certificate, message string) string {
	signature, err := hex.DecodeString(auth.signature)
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
	if auth.algorithm != want {
		return "the algorithm is " + auth.algorithm + "; the leaf's key wants " + want
	}
	if !valid {
		return "the signature does not verify with the leaf's key; compare the canonical request"
	}
	return ""
}
