package tpm

import (
	"errors"
	"fmt"

	"github.com/google/go-tpm/tpm2"
)

// storageRoot is where a storage root key lies, if one was made persistent. TCG TPM v2.0
// Provisioning Guidance, section 7.8.
const storageRoot tpm2.TPMHandle = 0x81000001

// eccPrimary is the template H-2 (ECC P-256): the parent of a TSS2 key below a hierarchy,
// draft-bottomley-tpm2-keys section 3.1.6. Its unique field is empty. With zeros there, as
// go-tpm's ECCSRKTemplate has them, it is another key.
func eccPrimary(zeros int) tpm2.TPMTPublic {
	return primary(tpm2.TPMAlgECC,
		tpm2.NewTPMUPublicParms(tpm2.TPMAlgECC, &tpm2.TPMSECCParms{Symmetric: aes128(), CurveID: tpm2.TPMECCNistP256}),
		tpm2.NewTPMUPublicID(tpm2.TPMAlgECC, &tpm2.TPMSECCPoint{
			X: tpm2.TPM2BECCParameter{Buffer: make([]byte, zeros)},
			Y: tpm2.TPM2BECCParameter{Buffer: make([]byte, zeros)},
		}))
}

// rsaPrimary is the template H-1 (RSA 2048), or with 256 zeros the storage root key of older
// guidance.
func rsaPrimary(zeros int) tpm2.TPMTPublic {
	return primary(tpm2.TPMAlgRSA,
		tpm2.NewTPMUPublicParms(tpm2.TPMAlgRSA, &tpm2.TPMSRSAParms{Symmetric: aes128(), KeyBits: 2048}),
		tpm2.NewTPMUPublicID(tpm2.TPMAlgRSA, &tpm2.TPM2BPublicKeyRSA{Buffer: make([]byte, zeros)}))
}

func primary(kind tpm2.TPMAlgID, parameters tpm2.TPMUPublicParms, unique tpm2.TPMUPublicID) tpm2.TPMTPublic {
	return tpm2.TPMTPublic{
		Type:    kind,
		NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{
			FixedTPM: true, FixedParent: true, SensitiveDataOrigin: true, UserWithAuth: true,
			NoDA: true, Restricted: true, Decrypt: true,
		},
		Parameters: parameters,
		Unique:     unique,
	}
}

func aes128() tpm2.TPMTSymDefObject {
	return tpm2.TPMTSymDefObject{
		Algorithm: tpm2.TPMAlgAES,
		KeyBits:   tpm2.NewTPMUSymKeyBits(tpm2.TPMAlgAES, tpm2.TPMKeyBits(128)),
		Mode:      tpm2.NewTPMUSymMode(tpm2.TPMAlgAES, tpm2.TPMAlgCFB),
	}
}

// protected is a template as tpm2_createprimary has it, which leaves out the attribute noDA.
func protected(template tpm2.TPMTPublic) tpm2.TPMTPublic {
	template.ObjectAttributes.NoDA = false
	return template
}

// createPrimary makes the primary key of a template, which is the same one each time.
func createPrimary(c *conn, hierarchy entity, template tpm2.TPMTPublic) (storage, error) {
	var s storage
	err := authorized(c, func() (storage, error) { return anySalt(c) }, hierarchy, func(h tpm2.AuthHandle) error {
		rsp, err := tpm2.CreatePrimary{PrimaryHandle: h, InPublic: tpm2.New2B(template)}.Execute(c)
		if err != nil {
			return err
		}
		c.hold(rsp.ObjectHandle, rsp.Name)
		s, err = newStorage(rsp.ObjectHandle, rsp.Name, rsp.OutPublic)
		return err
	}, encryptIn())
	switch {
	case isAuth(err):
		return s, authError(c, "owner", err)
	case err != nil:
		return s, fmt.Errorf("make the primary key: %w", err)
	}
	return s, nil
}

// anySalt returns a storage key that needs no authorization: the storage root key, or a
// primary key of the null hierarchy, which never has an auth value.
func anySalt(c *conn) (storage, error) {
	if s, err := persistent(c, storageRoot); err == nil {
		return s, nil
	}
	return createPrimary(c, entity{handle: tpm2.TPMRHNull}, eccPrimary(0))
}

// persistent returns the storage key under a persistent handle.
func persistent(c *conn, h tpm2.TPMHandle) (storage, error) {
	rsp, err := tpm2.ReadPublic{ObjectHandle: h}.Execute(c)
	switch {
	case isStale(err):
		return storage{}, fmt.Errorf("parent 0x%x: %w", uint32(h), ErrNoHandle)
	case err != nil:
		return storage{}, fmt.Errorf("parent 0x%x: %w", uint32(h), err)
	}
	s, err := newStorage(h, rsp.Name, rsp.OutPublic)
	if err == nil && !(s.public.ObjectAttributes.Restricted && s.public.ObjectAttributes.Decrypt) {
		err = errors.New("not a storage key")
	}
	if err != nil {
		return storage{}, fmt.Errorf("parent 0x%x: %w", uint32(h), err)
	}
	return s, nil
}

func newStorage(h tpm2.TPMHandle, name tpm2.TPM2BName, public tpm2.TPM2BPublic) (storage, error) {
	area, err := public.Contents()
	if err != nil {
		return storage{}, err
	}
	return storage{entity{handle: h, name: name}, *area}, nil
}

// parentFunc makes or finds a parent.
type parentFunc func(c *conn) (storage, error)

// parents lists what the parent of a key may be, the likeliest first. Below a hierarchy it
// is a primary key; of which template, the file does not say.
func parents(f *keyFile, s secrets) ([]parentFunc, error) {
	switch kind := f.parent >> 24; {
	case kind == 0x81:
		return []parentFunc{func(c *conn) (storage, error) {
			p, err := persistent(c, f.parent)
			p.auth = s.parent
			return p, err
		}}, nil
	case kind != 0x40:
		return nil, fmt.Errorf("parent 0x%x of the key is neither a hierarchy nor a persistent handle", uint32(f.parent))
	}
	hierarchy, err := hierarchyOf(f.parent, s)
	if err != nil {
		return nil, err
	}
	from := func(template tpm2.TPMTPublic) parentFunc {
		return func(c *conn) (storage, error) { return createPrimary(c, hierarchy, template) }
	}
	root := func(c *conn) (storage, error) { return unprotectedRoot(c) }
	ecc, rsa := from(eccPrimary(0)), from(rsaPrimary(0))
	rest := []parentFunc{from(rsaPrimary(256)), from(protected(rsaPrimary(0)))}
	if f.rsaParent {
		return append([]parentFunc{rsa, root}, rest...), nil
	}
	return append([]parentFunc{ecc, root, from(protected(eccPrimary(0))), from(eccPrimary(32)), rsa}, rest...), nil
}

// unprotectedRoot is the storage root key, where trying it with an empty auth value cannot
// be counted as a wrong one. It saves making an RSA key, which takes a chip many seconds.
func unprotectedRoot(c *conn) (storage, error) {
	s, err := persistent(c, storageRoot)
	if err == nil && !s.public.ObjectAttributes.NoDA {
		err = fmt.Errorf("parent 0x%x: %w", uint32(storageRoot), ErrNoHandle)
	}
	return s, err
}

func hierarchyOf(h tpm2.TPMHandle, s secrets) (entity, error) {
	switch h {
	case tpm2.TPMRHOwner, tpm2.TPMRHEndorsement, tpm2.TPMRHPlatform:
		return entity{handle: h, name: *h.KnownName(), auth: s.owner}, nil
	case tpm2.TPMRHNull:
		return entity{handle: h, name: *h.KnownName()}, nil
	}
	return entity{}, fmt.Errorf("parent 0x%x of the key is not a hierarchy that holds keys", uint32(h))
}
