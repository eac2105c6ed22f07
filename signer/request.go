package signer

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	service    = "rolesanywhere"
	terminator = "aws4_request"
	dateTime   = "20060102T150405Z"
	dateOnly   = "20060102"
)

// Sign returns the headers that prove possession of the identity's key for request r:
// X-Amz-Date, X-Amz-X509, X-Amz-X509-Chain when there are intermediates, and Authorization.
// The caller sets them on the request, over whatever was there under these names in any case,
// and changes nothing after.
//
// Sign is a pure function of its arguments, but for the randomness of ECDSA and ML-DSA. The
// region is the bare one, without "-fips". The service accepts a time within five minutes
// of its own. It fails only if the key does: the error is a *SignError.
//
// Source: IAM Roles Anywhere User Guide, "Signing process", tasks 1 to 4.
func Sign(r Request, id *Identity, region string, at time.Time) (http.Header, error) {
	headers := http.Header{}
	headers.Set("X-Amz-Date", at.UTC().Format(dateTime))
	headers.Set("X-Amz-X509", base64.StdEncoding.EncodeToString(id.leaf.Raw))
	if len(id.chain) > 0 {
		headers.Set("X-Amz-X509-Chain", encodeChain(id.Chain()))
	}
	r.Header = without(r.Header, headers)
	canonical, signedHeaders := canonicalRequest(r, headers)
	scope := strings.Join([]string{at.UTC().Format(dateOnly), region, service, terminator}, "/")
	signature, err := id.algorithm.sign(id.key, []byte(stringToSign(id.algorithm, at, scope, canonical)))
	if err != nil {
		return nil, &SignError{Subject: name(id.leaf), Err: err}
	}
	// The serial is decimal. In hexadecimal, as most tools print it, the service answers
	// "Invalid signature".
	headers.Set("Authorization", fmt.Sprintf("%s Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		id.algorithm, id.leaf.SerialNumber, scope, signedHeaders, hex.EncodeToString(signature)))
	return headers, nil
}

// stringToSign ties the canonical request to a time, a region and a service.
func stringToSign(algorithm Algorithm, at time.Time, scope, canonical string) string {
	hash := sha256.Sum256([]byte(canonical))
	return strings.Join([]string{string(algorithm), at.UTC().Format(dateTime), scope, hex.EncodeToString(hash[:])}, "\n")
}

// encodeChain writes certificates as X-Amz-X509-Chain carries them.
func encodeChain(chain []*x509.Certificate) string {
	encoded := make([]string, len(chain))
	for i, c := range chain {
		encoded[i] = base64.StdEncoding.EncodeToString(c.Raw)
	}
	return strings.Join(encoded, ",")
}

// without copies h less the headers that replace its own, and less the chain of a request
// that is signed again. Names in any case become canonical; the values of one that is there
// in several come in the order in which net/http sends them.
func without(h, replaced http.Header) http.Header {
	rest := http.Header{}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		key := http.CanonicalHeaderKey(name)
		if _, ok := replaced[key]; !ok && key != "X-Amz-X509-Chain" {
			rest[key] = append(rest[key], h[name]...)
		}
	}
	return rest
}
