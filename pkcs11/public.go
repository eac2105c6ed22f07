package pkcs11

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"kedge/internal/wire"
)

// ErrNoPublicKey means that the token does not give the public key: Module.Key wants it given.
var ErrNoPublicKey = errors.New("the token has no public key for it, neither as an object nor in a certificate with the same id; give the certificate")

// publicKey returns the public key that belongs to the private one.
func (at *place) publicKey(ctx context.Context, given crypto.PublicKey) (crypto.PublicKey, error) {
	public, err := at.publicOnToken(ctx)
	switch {
	case errors.Is(err, ErrNoPublicKey) && given != nil:
		return given, at.fits(given)
	case err != nil:
		return nil, err
	case given != nil && !sameKey(public, given):
		return nil, errors.New("the certificate or public key given with it belongs to another key")
	}
	return public, nil
}

func (at *place) publicOnToken(ctx context.Context) (crypto.PublicKey, error) {
	if public, err := publicOf(at.object); !errors.Is(err, ErrNoPublicKey) {
		return public, err
	}
	public, err := at.p.find(ctx, at.token, classPublicKey, at.sameID(), []uint64{attrKeyType},
		[]uint64{attrECParams, attrECPoint}, []uint64{attrModulus, attrPublicExponent})
	if err != nil {
		return nil, err
	}
	var found crypto.PublicKey
	for _, o := range public {
		if key, err := publicOf(o); err == nil && at.fits(key) == nil {
			if found != nil && !sameKey(found, key) {
				return nil, errors.New("the token has several public keys with its id")
			}
			found = key
		}
	}
	if found != nil {
		return found, nil
	}
	return at.publicOfCertificate(ctx)
}

// publicOfCertificate takes it from a certificate with the same id.
func (at *place) publicOfCertificate(ctx context.Context) (crypto.PublicKey, error) {
	certificates, err := at.p.find(ctx, at.token, classCertificate, at.sameID(), []uint64{attrValue})
	if err != nil {
		return nil, err
	}
	for _, o := range certificates {
		if cert, err := x509.ParseCertificate(o.Get(attrValue)); err == nil && at.fits(cert.PublicKey) == nil {
			return cert.PublicKey, nil
		}
	}
	return nil, ErrNoPublicKey
}

// sameID matches what belongs to the key: the same id, or the same label where it has none.
func (at *place) sameID() URI {
	if id := at.object.Get(attrID); len(id) > 0 {
		return URI{}.with("id", string(id))
	}
	return URI{}.with("object", string(at.object.Get(attrLabel)))
}

// fits reports whether the public key can be that of the private one, by type and curve.
func (at *place) fits(public crypto.PublicKey) error {
	typ, _ := wire.ParseUlong(at.object.Get(attrKeyType))
	switch public := public.(type) {
	case *rsa.PublicKey:
		if typ == keyRSA {
			return nil
		}
	case *ecdsa.PublicKey:
		curve, err := curveOf(at.object.Get(attrECParams))
		if typ == keyEC && (err != nil || curve == public.Curve) {
			return nil
		}
	}
	return fmt.Errorf("the public key, %T, is of another type than the private one", public)
}

// publicOf reads the public key from the attributes of an object, private or public. The
// error is ErrNoPublicKey where they lack it.
func publicOf(o wire.Object) (crypto.PublicKey, error) {
	if info := o.Get(attrPublicKeyInfo); len(info) > 0 {
		if public, err := x509.ParsePKIXPublicKey(info); err == nil {
			return public, nil
		}
	}
	switch typ, ok := wire.ParseUlong(o.Get(attrKeyType)); {
	case !ok:
		return nil, ErrNoPublicKey
	case typ == keyRSA:
		return rsaOf(o.Get(attrModulus), o.Get(attrPublicExponent))
	case typ == keyEC:
		return ecdsaOf(o.Get(attrECParams), o.Get(attrECPoint))
	default:
		return nil, fmt.Errorf("keys of type CKK 0x%X are not supported; RSA and EC are", typ)
	}
}

func rsaOf(modulus, exponent []byte) (crypto.PublicKey, error) {
	if len(modulus) == 0 || len(exponent) == 0 {
		return nil, ErrNoPublicKey
	}
	e := new(big.Int).SetBytes(exponent)
	if !e.IsInt64() || e.Int64() >= 1<<31 || e.Int64() < 3 {
		return nil, errors.New("its RSA exponent is out of range")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(e.Int64())}, nil
}

func ecdsaOf(params, point []byte) (crypto.PublicKey, error) {
	if len(point) == 0 {
		return nil, ErrNoPublicKey
	}
	curve, err := curveOf(params)
	if err != nil {
		return nil, err
	}
	// An OCTET STRING with the point; some tokens leave its wrapping out.
	var inner []byte
	if rest, err := asn1.Unmarshal(point, &inner); err != nil || len(rest) > 0 {
		inner = point
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, inner)
	if err != nil {
		return nil, fmt.Errorf("its EC point: %w", err)
	}
	return public, nil
}

// curveOf reads CKA_EC_PARAMS: the object identifier of a named curve, RFC 5480 section 2.1.1.1.
func curveOf(params []byte) (elliptic.Curve, error) {
	var oid asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(params, &oid); err != nil {
		return nil, errors.New("its EC parameters name no curve")
	}
	for _, c := range curves() {
		if c.oid.Equal(oid) {
			return c.curve, nil
		}
	}
	return nil, fmt.Errorf("its curve, %s, is not supported; P-256, P-384 and P-521 are", oid)
}

type namedCurve struct {
	name  string
	curve elliptic.Curve
	oid   asn1.ObjectIdentifier
}

func curves() []namedCurve {
	return []namedCurve{
		{"P-256", elliptic.P256(), asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}},
		{"P-384", elliptic.P384(), asn1.ObjectIdentifier{1, 3, 132, 0, 34}},
		{"P-521", elliptic.P521(), asn1.ObjectIdentifier{1, 3, 132, 0, 35}},
	}
}

func sameKey(a, b crypto.PublicKey) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b)
}
