package wire

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Authorization is a parsed Authorization header (IAM guide, "Add the signature to the
// request"):
//
//	ALGORITHM Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=HEX
type Authorization struct {
	Algorithm     string
	Credential    Credential
	SignedHeaders []string
	Signature     string // lower-case hex
}

// Credential is the Credential part: the signer, and the scope.
type Credential struct {
	Key                               string // an access key id, or a certificate's serial in decimal
	Date, Region, Service, Terminator string
}

// Scope returns the third line of the string to sign.
func (c Credential) Scope() string {
	return strings.Join([]string{c.Date, c.Region, c.Service, c.Terminator}, "/")
}

func (a Authorization) String() string {
	return fmt.Sprintf("%s Credential=%s/%s, SignedHeaders=%s, Signature=%s", a.Algorithm, a.Credential.Key,
		a.Credential.Scope(), strings.Join(a.SignedHeaders, ";"), a.Signature)
}

// ParseAuthorization is strict: three parts, each once, in any order, separated by commas with
// optional blanks. For what it accepts, String returns the documented form.
func ParseAuthorization(header string) (Authorization, error) {
	algorithm, rest, ok := strings.Cut(header, " ")
	if !ok || !isToken(algorithm) {
		return Authorization{}, errors.New("the Authorization header does not begin with an algorithm")
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, ok := strings.Cut(strings.Trim(part, " \t"), "=")
		if _, twice := parts[name]; !ok || twice {
			return Authorization{}, fmt.Errorf("the Authorization header has a part %.40q that is not NAME=VALUE, or stands twice", part)
		}
		parts[name] = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if parts[name] == "" {
			return Authorization{}, fmt.Errorf("the Authorization header has no %s", name)
		}
	}
	if len(parts) != 3 {
		return Authorization{}, errors.New("the Authorization header has parts that are not Credential, SignedHeaders or Signature")
	}
	return newAuthorization(algorithm, parts["Credential"], parts["SignedHeaders"], parts["Signature"])
}

// newAuthorization checks the parts of a header or of a presigned URL.
func newAuthorization(algorithm, cred, signedHeaders, signature string) (Authorization, error) {
	c, err := parseCredential(cred)
	if err != nil {
		return Authorization{}, err
	}
	names, err := parseSignedHeaders(signedHeaders)
	if err != nil {
		return Authorization{}, err
	}
	if signature == "" || len(signature)%2 != 0 || strings.Trim(signature, "0123456789abcdef") != "" {
		return Authorization{}, errors.New("the signature is not lower-case hexadecimal")
	}
	return Authorization{algorithm, c, names, signature}, nil
}

func parseCredential(s string) (Credential, error) {
	f := strings.Split(s, "/")
	if len(f) != 5 || slices.ContainsFunc(f, func(part string) bool { return !isToken(part) }) {
		return Credential{}, fmt.Errorf("the Credential %.80q is not KEY/DATE/REGION/SERVICE/aws4_request", s)
	}
	return Credential{f[0], f[1], f[2], f[3], f[4]}, nil
}

// parseSignedHeaders checks the list by the IAM guide, "Create a canonical request": lower-case,
// sorted, separated by semicolons.
func parseSignedHeaders(s string) ([]string, error) {
	names := strings.Split(s, ";")
	for i, name := range names {
		if !isToken(name) || name != strings.ToLower(name) {
			return nil, fmt.Errorf("SignedHeaders has %.40q, which is not a lower-case header name", name)
		}
		if i > 0 && names[i-1] >= name {
			return nil, fmt.Errorf("SignedHeaders is not sorted, or names %q twice", name)
		}
	}
	return names, nil
}

// isToken reports whether s is a token of RFC 9110 5.6.2, as header names and the parts of a
// Credential must be.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return false
		}
		return r > 0x7e || !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
}
