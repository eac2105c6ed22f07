package issuance

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"strings"

	"kedge/ca"
)

// QueryKind is the attribute that a query matches.
type QueryKind int

// The attributes, with the form of Query.Value.
const (
	ByFile        QueryKind = iota // a path
	ByFingerprint                  // 64 hex digits, lower case: SHA-256 of the DER
	BySerial                       // hex, lower case, of even length
	BySubject                      // a distinguished name as pkix.RDNSequence prints it
	ByCommonName
	ByHost
	BySAN // a DNS name, URI, IP or email address
)

func (k QueryKind) String() string {
	return [...]string{"file", "fingerprint", "serial", "subject", "common name", "host", "name"}[k]
}

// Query is one interpretation of the text that names a certificate.
type Query struct {
	Kind  QueryKind
	Value string
}

// maxQuery is longer than any name in a certificate that IAM Roles Anywhere accepts.
const maxQuery = 4 << 10

// ParseQueries returns the interpretations of text, likeliest first: the first one that finds
// something is used. It accepts what CloudTrail, openssl and people write: serials in hex (with
// colons, in any case, with leading zeros) or decimal, SHA-256 fingerprints, files, distinguished
// names in either order, ARNs of assumed roles, session names, source identities, names of hosts.
func ParseQueries(text string) ([]Query, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxQuery {
		return nil, fmt.Errorf("what names a certificate has %d bytes; at most %d are read", len(text), maxQuery)
	}
	for _, label := range []string{"subject=", "issuer=", "serial=", "sha256 fingerprint=", "sha-256 fingerprint="} {
		if len(text) > len(label) && strings.EqualFold(text[:len(label)], label) {
			text = strings.TrimSpace(text[len(label):])
		}
	}
	if session, ok, err := sessionOf(text); err != nil {
		return nil, err
	} else if ok {
		return sessionQueries(session), nil
	}
	found := sessionQueries(text)
	if looksLikeFile(text) {
		found = slices.Insert(found, 0, Query{ByFile, text})
	}
	if len(found) == 0 {
		return nil, errors.New("nothing is named: give a serial, a subject, a fingerprint, a file, an ARN, a session or a host")
	}
	return found, nil
}

// sessionOf returns the session name in the ARN of an assumed role or in a principal id
// (AROA…:SESSION), as in CloudTrail's userIdentity.
func sessionOf(text string) (session string, ok bool, err error) {
	if strings.HasPrefix(text, "arn:") {
		parts := strings.SplitN(text, ":", 6)
		if len(parts) == 6 && parts[2] == "sts" {
			resource := strings.SplitN(parts[5], "/", 3)
			if len(resource) == 3 && resource[0] == "assumed-role" && resource[2] != "" {
				return resource[2], true, nil
			}
		}
		return "", false, fmt.Errorf("the ARN %q names no session: it must be one of an assumed role, arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION, such as userIdentity.arn in CloudTrail", text)
	}
	id, session, ok := strings.Cut(text, ":")
	upper := func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' }
	if ok && session != "" && len(id) >= 16 && strings.HasPrefix(id, "AROA") && strings.IndexFunc(id, func(r rune) bool { return !upper(r) }) < 0 {
		return session, true, nil
	}
	return "", false, nil
}

// sessionQueries interprets a session name or source identity, and anything but files and ARNs.
//
// Source: IAM Roles Anywhere User Guide, "Authentication": the source identity is CN=name, the bare
// name if that is too long, or ID=serial; a session is named after the serial in hex unless the
// request names another.
func sessionQueries(text string) []Query {
	if text == "" {
		return nil
	}
	found := numberQueries(text)
	if id, ok := strings.CutPrefix(text, "ID="); ok {
		found = append(found, numberQueries(id)...)
	}
	for _, subject := range subjects(text) {
		found = append(found, Query{BySubject, subject})
	}
	if name, ok := onlyCommonName(text); ok {
		found = append(found, Query{ByCommonName, name})
	}
	if name, ok := strings.CutPrefix(text, "CN="); ok {
		found = append(found, Query{ByCommonName, name})
	}
	found = append(found, Query{ByCommonName, text}, Query{ByHost, text}, Query{BySAN, text})
	return distinct(found)
}

// SessionQuery returns the query for a session name that IAM Roles Anywhere gave: the serial number in hex, in lower
// case and of even length. ok is false for a name that whoever assumed the role chose.
func SessionQuery(session string) (_ Query, ok bool) {
	digits, isHex := hexDigits(session)
	if !isHex || digits != session || len(session)%2 != 0 || len(session) > 2*maxSerial {
		return Query{}, false
	}
	serial, ok := parseSerial(session, 16)
	return Query{BySerial, serial}, ok
}

// SourceIdentityQuery returns the query for a source identity that IAM Roles Anywhere gave: see ca.SourceIdentity. It
// never names a file, whatever the text is. ok is false for a text that IAM Roles Anywhere gives to no certificate, such
// as the bare name of a person.
func SourceIdentityQuery(identity string) (_ Query, ok bool) {
	if id, found := strings.CutPrefix(identity, "ID="); found {
		if q, ok := SessionQuery(id); ok {
			return q, true
		}
	}
	for _, name := range []string{strings.TrimPrefix(identity, "CN="), identity} {
		if identity == identityOf(name) {
			return Query{ByCommonName, name}, true
		}
	}
	return Query{}, false
}

// identityOf is ca.SourceIdentity for a common name without its certificate.
func identityOf(commonName string) string {
	return ca.SourceIdentity(&x509.Certificate{Subject: pkix.Name{CommonName: commonName}, SerialNumber: new(big.Int)})
}

// numberQueries interprets a serial or a fingerprint.
func numberQueries(text string) []Query {
	digits, isHex := hexDigits(text)
	if isHex && len(digits) == 64 {
		return []Query{{ByFingerprint, digits}}
	}
	var found []Query
	if serial, ok := parseSerial(digits, 16); isHex && ok {
		found = append(found, Query{BySerial, serial})
	}
	if strings.Trim(text, "0123456789") != "" {
		return found
	}
	if serial, ok := parseSerial(text, 10); ok {
		found = append(found, Query{BySerial, serial})
	}
	if len(text) > 33 { // too long for the hex of 128 bits
		slices.Reverse(found)
	}
	return found
}

// hexDigits returns text in lower case, without 0x and without the colons between bytes.
func hexDigits(text string) (string, bool) {
	text = strings.ToLower(text)
	if plain, ok := strings.CutPrefix(text, "0x"); ok {
		text = plain
	} else if strings.Contains(text, ":") {
		bytes := strings.Split(text, ":")
		for _, b := range bytes {
			if len(b) != 2 {
				return "", false
			}
		}
		text = strings.Join(bytes, "")
	}
	return text, text != "" && strings.Trim(text, "0123456789abcdef") == ""
}

// maxSerial is how many bytes a serial has at most: RFC 5280, 4.1.2.2.
const maxSerial = 20

// parseSerial returns the number in hex, in lower case and of even length.
func parseSerial(digits string, base int) (string, bool) {
	digits = strings.TrimLeft(digits, "0")
	if len(digits) > 49 { // 2^160 in decimal
		return "", false
	}
	if digits == "" {
		return "00", true
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok || n.BitLen() > 8*maxSerial {
		return "", false
	}
	return serialHex(n), true
}

// serialHex is ca.SerialHex for a serial number without its certificate.
func serialHex(serial *big.Int) string {
	return ca.SerialHex(&x509.Certificate{SerialNumber: serial})
}

// looksLikeFile reports whether text has a folder or the ending of a certificate file.
func looksLikeFile(text string) bool {
	if strings.Contains(text, "://") || strings.HasPrefix(text, "/") && strings.Contains(text, "=") {
		return false
	}
	switch strings.ToLower(filepath.Ext(text)) {
	case ".pem", ".crt", ".cer", ".der":
		return true
	}
	return strings.ContainsRune(text, filepath.Separator) || strings.Contains(text, "/")
}

// looksLikeEvents reports whether text has the ending of a file with events of CloudTrail, which callers of Find may
// take, too. Such a text is the name of a file only if no certificate is named so.
func looksLikeEvents(text string) bool {
	if strings.ContainsAny(text, ":/") { // a session or an ARN
		return false
	}
	switch strings.ToLower(filepath.Ext(text)) {
	case ".json", ".jsonl", ".log", ".gz":
		return true
	}
	return false
}

func distinct(all []Query) []Query {
	var once []Query
	for _, r := range all {
		if !slices.Contains(once, r) {
			once = append(once, r)
		}
	}
	return once
}
