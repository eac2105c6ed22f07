package tpm

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-tpm/tpm2"
)

// maxAuth is the length of a digest of the hash that names the key (SHA-256). TCG TPM 2.0
// Library Part 1, section 27.4.
const maxAuth = 32

// KeyTypes are the kinds of keys that Create makes. Which of them a TPM has is its own affair:
// P-256 and RSA-2048 are required.
func KeyTypes() []string { return []string{"P-256", "P-384", "RSA-2048", "RSA-3072"} }

// CreateOptions say what key to make, and where.
type CreateOptions struct {
	Device string // as Config.Device
	Type   string // one of KeyTypes
	// Parent is the persistent handle of the parent. 0 is the primary key of the owner
	// hierarchy that every tool makes for such keys (ECC P-256, template H-2): it takes no
	// room in the TPM.
	Parent uint32
	// Persist is a free persistent handle under which the key is to lie, 0x81000000 to
	// 0x817fffff, or 0. It can be used without the file then.
	Persist uint32
	// KeyAuth gets the auth value of the new key; nil or empty: it has none. The TPM counts
	// wrong tries for a key that has one.
	KeyAuth func() ([]byte, error)
	// ParentAuth gets the auth value of Parent, OwnerAuth that of the owner hierarchy, which
	// is needed for its primary key and to make the key persistent; nil: it is empty.
	ParentAuth, OwnerAuth func() ([]byte, error)
}

// Create makes a key that never leaves the TPM, and returns the TSS2 key file, in PEM.
//
// Nothing else in the TPM is changed, and no handle but Persist is left in it. The errors
// are those of Open, and ErrHandleTaken.
func Create(ctx context.Context, o CreateOptions) ([]byte, error) {
	where, err := parseAddress(o.Device)
	if err != nil {
		return nil, err
	}
	m, err := newMaker(o)
	if err != nil {
		return nil, err
	}
	l := newConnManager(where)
	defer func() { go l.end() }() // an operation that was called off still cleans up
	err = l.do(ctx, func(ctx context.Context) error {
		return retryFull(ctx, func() error {
			c, err := l.connect(ctx)
			if err != nil {
				return err
			}
			defer l.release()
			return m.make(c)
		})
	})
	if err != nil {
		return nil, fmt.Errorf("create a key in the TPM: %w", err)
	}
	return m.file.marshal()
}

// maker makes one key.
type maker struct {
	template tpm2.TPMTPublic
	parent   parentFunc
	owner    entity
	auth     []byte
	persist  tpm2.TPMHandle
	file     keyFile // what is made
}

func newMaker(o CreateOptions) (*maker, error) {
	switch {
	case !slices.Contains(KeyTypes(), o.Type):
		return nil, fmt.Errorf("key type %q is not one of %q", o.Type, KeyTypes())
	case o.Parent != 0 && o.Parent>>24 != 0x81:
		return nil, fmt.Errorf("parent 0x%x is not persistent: those are 0x81000000 to 0x81ffffff", o.Parent)
	case o.Persist != 0 && o.Persist>>23 != 0x81000000>>23: // above, they are the platform's
		return nil, fmt.Errorf("handle 0x%x is not one of the owner's: 0x81000000 to 0x817fffff", o.Persist)
	}
	s, err := getSecrets(o.KeyAuth, o.ParentAuth, o.OwnerAuth)
	if err != nil {
		return nil, err
	}
	if len(s.key) > maxAuth {
		return nil, fmt.Errorf("auth value of %d bytes; a key takes at most %d bytes", len(s.key), maxAuth)
	}
	m := &maker{template: template(o.Type, len(s.key) > 0), auth: s.key, persist: tpm2.TPMHandle(o.Persist)}
	m.file.emptyAuth = len(s.key) == 0
	m.file.parent = tpm2.TPMRHOwner
	if o.Parent != 0 {
		m.file.parent = tpm2.TPMHandle(o.Parent)
	}
	if m.owner, err = hierarchyOf(tpm2.TPMRHOwner, s); err != nil {
		return nil, err
	}
	candidates, err := parents(&m.file, s)
	if err != nil {
		return nil, err
	}
	m.parent = candidates[0]
	return m, nil
}

// template is an unrestricted signing key without a fixed scheme. One without auth value has
// nothing to protect from guessing, and works while the TPM is locked.
func template(kind string, protected bool) tpm2.TPMTPublic {
	t := tpm2.TPMTPublic{
		NameAlg: tpm2.TPMAlgSHA256,
		ObjectAttributes: tpm2.TPMAObject{
			FixedTPM: true, FixedParent: true, SensitiveDataOrigin: true, UserWithAuth: true,
			NoDA: !protected, SignEncrypt: true,
		},
	}
	ecc := func(curve tpm2.TPMECCCurve) {
		t.Type = tpm2.TPMAlgECC
		t.Parameters = tpm2.NewTPMUPublicParms(t.Type, &tpm2.TPMSECCParms{CurveID: curve})
		t.Unique = tpm2.NewTPMUPublicID(t.Type, &tpm2.TPMSECCPoint{})
	}
	rsa := func(bits tpm2.TPMKeyBits) {
		t.Type = tpm2.TPMAlgRSA
		t.Parameters = tpm2.NewTPMUPublicParms(t.Type, &tpm2.TPMSRSAParms{KeyBits: bits})
		t.Unique = tpm2.NewTPMUPublicID(t.Type, &tpm2.TPM2BPublicKeyRSA{})
	}
	switch kind {
	case "P-256":
		ecc(tpm2.TPMECCNistP256)
	case "P-384":
		ecc(tpm2.TPMECCNistP384)
	case "RSA-2048":
		rsa(2048)
	case "RSA-3072":
		rsa(3072)
	}
	return t
}

// make runs the commands. What they load is flushed by the caller.
func (m *maker) make(c *conn) error {
	if m.persist != 0 {
		_, err := tpm2.ReadPublic{ObjectHandle: m.persist}.Execute(c)
		switch {
		case err == nil:
			return fmt.Errorf("0x%x: %w", uint32(m.persist), ErrHandleTaken)
		case !isStale(err):
			return fmt.Errorf("look at 0x%x: %w", uint32(m.persist), err)
		}
	}
	parent, err := m.parent(c)
	if err != nil {
		return err
	}
	if err := m.create(c, parent); err != nil || m.persist == 0 {
		return err
	}
	obj := object{file: &m.file}
	if obj.name, err = nameOf(m.file.public); err != nil {
		return err
	}
	if err := obj.loadInto(c, parent); err != nil {
		return err
	}
	return m.keep(c, parent, obj)
}

// create always uses a session where there is an auth value to hide: the parent's, or the
// one that the key is to have, which is in the first parameter.
func (m *maker) create(c *conn, parent storage) error {
	h := tpm2.AuthHandle{Handle: parent.handle, Name: parent.name, Auth: tpm2.PasswordAuth(nil)}
	if len(m.auth) > 0 || len(parent.auth) > 0 {
		session, err := newSession(c, parent, parent.entity, encryptIn())
		if err != nil {
			return err
		}
		defer c.flush(session.Handle())
		h.Auth = session
	}
	rsp, err := tpm2.Create{
		ParentHandle: h,
		InSensitive:  tpm2.TPM2BSensitiveCreate{Sensitive: &tpm2.TPMSSensitiveCreate{UserAuth: tpm2.TPM2BAuth{Buffer: m.auth}}},
		InPublic:     tpm2.New2B(m.template),
	}.Execute(c)
	switch {
	case isAuth(err):
		return authError(c, "parent", err)
	case errors.Is(err, tpm2.TPMRCCurve), errors.Is(err, tpm2.TPMRCValue), errors.Is(err, tpm2.TPMRCKeySize):
		return fmt.Errorf("this TPM has no such keys: %w", err)
	case err != nil:
		return err
	}
	m.file.public, m.file.private = rsp.OutPublic, rsp.OutPrivate
	return nil
}

// keep makes the loaded key persistent.
func (m *maker) keep(c *conn, parent storage, obj object) error {
	salt := func() (storage, error) { return parent, nil }
	err := authorized(c, salt, m.owner, func(h tpm2.AuthHandle) error {
		_, err := tpm2.EvictControl{
			Auth:             h,
			ObjectHandle:     tpm2.NamedHandle{Handle: obj.handle, Name: obj.name},
			PersistentHandle: m.persist,
		}.Execute(c)
		return err
	})
	switch {
	case isAuth(err):
		return authError(c, "owner", err)
	case errors.Is(err, tpm2.TPMRCNVDefined):
		return fmt.Errorf("0x%x: %w", uint32(m.persist), ErrHandleTaken)
	case err != nil:
		return fmt.Errorf("make the key persistent under 0x%x: %w", uint32(m.persist), err)
	}
	return nil
}
