// Package pkcs12 reads PKCS#12 files (RFC 7292), DER or BER, as OpenSSL, Java, Windows and
// NSS write them, with a password, an empty one, or none. It hands out the encoded keys and
// certificates and leaves it to the caller to parse them, so any kind of key passes.
//
// Files may be hostile: one pbe.Budget bounds the work over all parts and passwords.
package pkcs12

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"

	"kedge/internal/pbe"
)

// Object identifiers of RFC 7292 4.1 and 4.2, and of PKCS#7.
const (
	oidData          = "1.2.840.113549.1.7.1"
	oidEncryptedData = "1.2.840.113549.1.7.6"
	oidKeyBag        = "1.2.840.113549.1.12.10.1.1"
	oidShroudedBag   = "1.2.840.113549.1.12.10.1.2"
	oidCertBag       = "1.2.840.113549.1.12.10.1.3"
	oidSafeBag       = "1.2.840.113549.1.12.10.1.6"
	oidPBMAC1        = "1.2.840.113549.1.5.14" // RFC 9579
	oidX509Cert      = "1.2.840.113549.1.9.22.1"
)

const (
	maxParts = 8 // encrypted ones; tools write two
	maxDepth = 4 // of safe contents within safe contents; nobody nests them
)

// Contents is what a file holds, in its order.
type Contents struct {
	Keys         [][]byte // PKCS#8, decrypted: the caller should wipe them after use
	Certificates [][]byte // X.509
}

type pfx struct {
	Version  int
	AuthSafe contentInfo
	MAC      macData `asn1:"optional"`
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
}

type encryptedData struct {
	Version int
	Info    struct {
		Type      asn1.ObjectIdentifier
		Algorithm pkix.AlgorithmIdentifier
		Content   asn1.RawValue `asn1:"optional"` // [0] IMPLICIT OCTET STRING
	}
}

type safeBag struct {
	ID    asn1.ObjectIdentifier
	Value asn1.RawValue `asn1:"tag:0,explicit"`
	// Attributes follow; nothing here needs them.
}

type shroudedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

type certBag struct {
	ID   asn1.ObjectIdentifier
	Data []byte `asn1:"tag:0,explicit"`
}

type reader struct {
	lock   lock
	budget pbe.Budget
	parts  int
	found  Contents
}

// Parse reads a file. The password is asked for only when the file does not open without
// one. Errors are the ones of password, pbe.ErrWrongPassword, *pbe.UnsupportedError, or say
// what is malformed or too costly.
func Parse(data []byte, password func() ([]byte, error)) (*Contents, error) {
	var file pfx
	if err := unmarshal(data, &file); err != nil {
		return nil, err
	}
	if file.Version != 3 {
		return nil, fmt.Errorf("PKCS#12 version %d, only 3 is defined", file.Version)
	}
	if file.AuthSafe.Type.String() != oidData {
		return nil, &pbe.UnsupportedError{What: "PKCS#12 integrity by a signature"}
	}
	safe, err := octets(file.AuthSafe.Content.Bytes)
	if err != nil {
		return nil, err
	}
	r := &reader{lock: lock{ask: password}}
	if len(file.MAC.Digest.Value) > 0 {
		try := func(password []byte) error { return file.MAC.verify(safe, password, &r.budget) }
		if err := r.lock.open(file.MAC.Digest.Algorithm, try); err != nil {
			return nil, err
		}
	}
	if err := r.authenticatedSafe(safe); err != nil {
		return nil, err
	}
	return &r.found, nil
}

func (r *reader) authenticatedSafe(der []byte) error {
	var infos []contentInfo
	if err := unmarshal(der, &infos); err != nil {
		return err
	}
	for _, info := range infos {
		if err := r.contents(info); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) contents(info contentInfo) error {
	switch oid := info.Type.String(); oid {
	case oidData:
		der, err := octets(info.Content.Bytes)
		if err != nil {
			return err
		}
		return r.safeContents(der, 1)
	case oidEncryptedData:
		var sealed encryptedData
		if err := unmarshal(info.Content.Bytes, &sealed); err != nil {
			return err
		}
		data, err := implicitOctets(sealed.Info.Content)
		if err != nil {
			return err
		}
		der, err := r.decrypt(sealed.Info.Algorithm, data, new([]safeBag))
		if err != nil {
			return err
		}
		defer clear(der)
		return r.safeContents(der, 1)
	default:
		return &pbe.UnsupportedError{What: "PKCS#12 content of type " + oid}
	}
}

func (r *reader) safeContents(der []byte, depth int) error {
	if depth > maxDepth {
		return errors.New("malformed PKCS#12: nested too deep")
	}
	var bags []safeBag
	if err := unmarshal(der, &bags); err != nil {
		return err
	}
	for _, bag := range bags {
		if err := r.bag(bag, depth); err != nil {
			return err
		}
	}
	return nil
}

// bag takes keys and certificates; lists, secrets and foreign bags are passed over.
func (r *reader) bag(bag safeBag, depth int) error {
	switch bag.ID.String() {
	case oidKeyBag:
		r.found.Keys = append(r.found.Keys, append([]byte(nil), bag.Value.Bytes...))
	case oidShroudedBag:
		var sealed shroudedKey
		if err := unmarshal(bag.Value.Bytes, &sealed); err != nil {
			return err
		}
		key, err := r.decrypt(sealed.Algorithm, sealed.Data, new(asn1.RawValue))
		if err != nil {
			return err
		}
		r.found.Keys = append(r.found.Keys, key)
	case oidCertBag:
		var cert certBag
		if err := unmarshal(bag.Value.Bytes, &cert); err != nil {
			return err
		}
		if cert.ID.String() == oidX509Cert {
			r.found.Certificates = append(r.found.Certificates, append([]byte(nil), cert.Data...))
		}
	case oidSafeBag:
		return r.safeContents(bag.Value.Bytes, depth+1)
	}
	return nil
}

// decrypt opens one part. What it must look like inside tells a wrong password where the
// padding happens to be right.
func (r *reader) decrypt(algorithm pkix.AlgorithmIdentifier, sealed []byte, shape any) (plain []byte, err error) {
	if r.parts++; r.parts > maxParts {
		return nil, fmt.Errorf("PKCS#12 file with more than %d encrypted parts", maxParts)
	}
	err = r.lock.open(algorithm, func(password []byte) error {
		plain, err = r.budget.Open(algorithm, sealed, password)
		if err != nil {
			return err
		}
		if unmarshal(plain, shape) != nil {
			clear(plain)
			return pbe.ErrWrongPassword
		}
		return nil
	})
	return plain, err
}

// lock finds the password once. Both what none can mean, absent and empty, come before asking.
type lock struct {
	ask      func() ([]byte, error)
	password []byte
	found    bool
}

func (l *lock) open(algorithm pkix.AlgorithmIdentifier, try func(password []byte) error) error {
	if l.found {
		return try(l.password)
	}
	none := [][]byte{nil, {}}
	same := absentIsEmpty(algorithm)
	if same {
		none = none[:1]
	}
	for _, password := range none {
		if err := try(password); !errors.Is(err, pbe.ErrWrongPassword) {
			l.found, l.password = err == nil && !same, password
			return err
		}
	}
	password, err := l.ask()
	if err != nil {
		return err
	}
	if len(password) == 0 {
		return pbe.ErrWrongPassword // tried above
	}
	err = try(password)
	l.found, l.password = err == nil, password
	return err
}

// absentIsEmpty: the algorithms of PKCS#5 make one key of an absent password and an empty
// one, those of PKCS#12 make two (RFC 7292 B.1), and writers disagree on which "none" is.
func absentIsEmpty(algorithm pkix.AlgorithmIdentifier) bool {
	return strings.HasPrefix(algorithm.Algorithm.String(), "1.2.840.113549.1.5.")
}
