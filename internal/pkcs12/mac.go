package pkcs12

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"hash"

	"kedge/internal/pbe"
)

// macData is RFC 7292 4.
type macData struct {
	Digest struct {
		Algorithm pkix.AlgorithmIdentifier
		Value     []byte
	}
	Salt       []byte
	Iterations int `asn1:"optional,default:1"`
}

// verify returns nil, pbe.ErrWrongPassword, or why the MAC cannot be computed.
func (m *macData) verify(message, password []byte, b *pbe.Budget) error {
	key, h, err := m.key(password, b)
	if err != nil {
		return err
	}
	defer clear(key)
	mac := hmac.New(h, key)
	mac.Write(message)
	if !hmac.Equal(mac.Sum(nil), m.Digest.Value) {
		return pbe.ErrWrongPassword
	}
	return nil
}

func (m *macData) key(password []byte, b *pbe.Budget) ([]byte, func() hash.Hash, error) {
	oid := m.Digest.Algorithm.Algorithm.String()
	if oid == oidPBMAC1 {
		return pbmac1(m.Digest.Algorithm.Parameters.FullBytes, password, b)
	}
	h := macHash(oid)
	if h == nil {
		return nil, nil, &pbe.UnsupportedError{What: "PKCS#12 MAC " + oid}
	}
	key, err := b.PKCS12Key(h, pbe.PurposeMAC, password, pbe.Derivation{Salt: m.Salt, Iterations: m.Iterations, Size: h().Size()})
	return key, h, err
}

func macHash(oid string) func() hash.Hash {
	switch oid {
	case "1.3.14.3.2.26":
		return sha1.New
	case "2.16.840.1.101.3.4.2.4":
		return sha256.New224
	case "2.16.840.1.101.3.4.2.1":
		return sha256.New
	case "2.16.840.1.101.3.4.2.2":
		return sha512.New384
	case "2.16.840.1.101.3.4.2.3":
		return sha512.New
	case "2.16.840.1.101.3.4.2.5":
		return sha512.New512_224
	case "2.16.840.1.101.3.4.2.6":
		return sha512.New512_256
	}
	return nil
}

// pbmac1 is RFC 9579: PBKDF2 over the password in UTF-8, with an explicit keyLength.
func pbmac1(der, password []byte, b *pbe.Budget) ([]byte, func() hash.Hash, error) {
	var params struct {
		KDF, MAC pkix.AlgorithmIdentifier
	}
	if err := unmarshal(der, &params); err != nil {
		return nil, nil, err
	}
	h := pbe.PRFHash(params.MAC.Algorithm)
	if h == nil || params.KDF.Algorithm.String() != pbe.OIDPBKDF2 {
		return nil, nil, &pbe.UnsupportedError{What: "PBMAC1 with " + params.KDF.Algorithm.String() + " and " + params.MAC.Algorithm.String()}
	}
	var kdf struct {
		Salt                  []byte
		Iterations, KeyLength int
		PRF                   pkix.AlgorithmIdentifier `asn1:"optional"`
	}
	if err := unmarshal(params.KDF.Parameters.FullBytes, &kdf); err != nil {
		return nil, nil, err
	}
	if kdf.KeyLength < 20 || kdf.KeyLength > 128 { // 20: RFC 9579 section 9; an HMAC hashes more than 128 down
		return nil, nil, asn1.StructuralError{Msg: "PBMAC1 key length out of range"}
	}
	key, err := b.PBKDF2(kdf.PRF, password, pbe.Derivation{Salt: kdf.Salt, Iterations: kdf.Iterations, Size: kdf.KeyLength})
	return key, h, err
}
