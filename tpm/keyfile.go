package tpm

import (
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math"

	"github.com/google/go-tpm/tpm2"

	"kedge/internal/pemread"
)

// The TSS2 key file: https://www.hansenpartnership.com/draft-bottomley-tpm2-keys.html, section 3.1.
//
//	TPMKey ::= SEQUENCE {
//		type        OBJECT IDENTIFIER,
//		emptyAuth   [0] EXPLICIT BOOLEAN OPTIONAL,
//		policy      [1] EXPLICIT SEQUENCE OF TPMPolicy OPTIONAL,
//		secret      [2] EXPLICIT OCTET STRING OPTIONAL,
//		authPolicy  [3] EXPLICIT SEQUENCE OF TPMAuthPolicy OPTIONAL,
//		description [4] EXPLICIT UTF8String OPTIONAL,
//		rsaParent   [5] EXPLICIT BOOLEAN OPTIONAL,
//		parent      INTEGER,
//		pubkey      OCTET STRING,
//		privkey     OCTET STRING
//	}
const (
	pemLabel    = "TSS2 PRIVATE KEY"
	maxKeyFile  = 64 << 10
	tagSecret   = 2
	tagRSA      = 5
	unknownTags = 6
)

var (
	oidLoadable   = asn1.ObjectIdentifier{2, 23, 133, 10, 1, 3}
	oidImportable = asn1.ObjectIdentifier{2, 23, 133, 10, 1, 4}
	oidSealed     = asn1.ObjectIdentifier{2, 23, 133, 10, 1, 5}
)

// keyFile is a loadable key.
type keyFile struct {
	emptyAuth bool // the key has no auth value
	policy    bool // a policy is given
	rsaParent bool // below a hierarchy, the parent is the RSA primary
	parent    tpm2.TPMHandle
	public    tpm2.TPM2BPublic
	private   tpm2.TPM2BPrivate
}

// IsKeyFile reports whether data holds a TSS2 key: in PEM, DER or base64 of them.
func IsKeyFile(data []byte) bool {
	if len(data) > maxKeyFile {
		return false
	}
	_, err := keyBlock(data)
	return err == nil
}

// parseKeyFile reads a key in PEM (text around it is skipped), DER or base64 of them.
func parseKeyFile(data []byte) (*keyFile, error) {
	if len(data) > maxKeyFile {
		return nil, fmt.Errorf("a TSS2 key has less than %d KB", maxKeyFile>>10)
	}
	der, err := keyBlock(data)
	if err != nil {
		return nil, err
	}
	return parseKeyDER(der)
}

// keyBlock finds the first TSS2 key.
func keyBlock(data []byte) ([]byte, error) {
	other := func(label string) bool { return label != pemLabel }
	blocks, err := pemread.Blocks(data, pemread.Options{Skip: other, NoUTF16: true})
	if err != nil {
		return nil, err
	}
	for _, b := range blocks {
		if b.Label == pemLabel || b.Label == "" && b.Kind == pemread.TPMKey {
			return b.DER, nil
		}
	}
	return nil, fmt.Errorf("it is %s, not a TSS2 key", blocks[0])
}

func parseKeyDER(der []byte) (*keyFile, error) {
	var fields asn1.RawValue
	rest, err := asn1.Unmarshal(der, &fields)
	if err != nil || len(rest) > 0 || fields.Tag != asn1.TagSequence || fields.Class != asn1.ClassUniversal {
		return nil, errors.New("damaged TSS2 key: not one ASN.1 sequence")
	}
	var kind asn1.ObjectIdentifier
	if rest, err = asn1.Unmarshal(fields.Bytes, &kind); err != nil {
		return nil, errors.New("damaged TSS2 key: no type")
	}
	if err := checkKind(kind); err != nil {
		return nil, err
	}
	f := &keyFile{}
	if rest, err = f.options(rest); err != nil {
		return nil, err
	}
	return f, f.body(rest)
}

func checkKind(kind asn1.ObjectIdentifier) error {
	switch {
	case kind.Equal(oidLoadable):
		return nil
	case kind.Equal(oidImportable):
		return errors.New("the TSS2 key is one to import; only loadable keys can be used, which the TPM made itself")
	case kind.Equal(oidSealed):
		return errors.New("the TSS2 file holds sealed data, not a key")
	}
	return fmt.Errorf("TSS2 key of unknown type %s", kind)
}

// options reads the tagged fields, which come in the order of their numbers.
func (f *keyFile) options(in []byte) ([]byte, error) {
	for last := -1; ; {
		var field asn1.RawValue
		rest, err := asn1.Unmarshal(in, &field)
		if err != nil {
			return nil, errors.New("damaged TSS2 key: it ends before its parent")
		}
		if field.Class != asn1.ClassContextSpecific {
			return in, nil
		}
		if field.Tag <= last || field.Tag >= unknownTags {
			return nil, fmt.Errorf("TSS2 key with an unexpected field [%d]", field.Tag)
		}
		last = field.Tag
		switch field.Tag {
		case 0:
			f.emptyAuth, err = boolean(field.Bytes)
		case 1, 3:
			f.policy = true
		case tagSecret:
			err = errors.New("a loadable TSS2 key has no secret")
		case tagRSA:
			f.rsaParent, err = boolean(field.Bytes)
		}
		if err != nil {
			return nil, err
		}
		in = rest
	}
}

// body reads the fields that every key has.
func (f *keyFile) body(in []byte) error {
	var parent int64
	var public, private []byte
	rest, err := asn1.Unmarshal(in, &parent)
	if err == nil {
		rest, err = asn1.Unmarshal(rest, &public)
	}
	if err == nil {
		rest, err = asn1.Unmarshal(rest, &private)
	}
	if err != nil || len(rest) > 0 {
		return errors.New("damaged TSS2 key: not parent, public and private part")
	}
	// Written by 32-bit programs, a handle is a negative number.
	if parent < math.MinInt32 || parent > math.MaxUint32 {
		return fmt.Errorf("TSS2 key with the impossible parent %d", parent)
	}
	f.parent = tpm2.TPMHandle(uint32(parent))
	if f.parent == 0 { // written by older versions of tpm2-tss-engine
		f.parent = tpm2.TPMRHOwner
	}
	return f.parts(public, private)
}

func (f *keyFile) parts(public, private []byte) error {
	pub, err := unmarshal[tpm2.TPM2BPublic](public)
	if err != nil {
		return fmt.Errorf("public part of the TSS2 key: %w", err)
	}
	priv, err := unmarshal[tpm2.TPM2BPrivate](private)
	if err != nil {
		return fmt.Errorf("private part of the TSS2 key: %w", err)
	}
	if _, err := pub.Contents(); err != nil {
		return fmt.Errorf("public part of the TSS2 key: %w", err)
	}
	f.public, f.private = *pub, *priv
	return nil
}

// marshal returns the key as PEM. emptyAuth is always stated: without it, tpm2-openssl 1.1.1
// takes a key to have no auth value.
func (f *keyFile) marshal() ([]byte, error) {
	out := struct {
		Type      asn1.ObjectIdentifier
		EmptyAuth bool `asn1:"explicit,tag:0"`
		RSAParent bool `asn1:"optional,explicit,tag:5"`
		Parent    int64
		Public    []byte
		Private   []byte
	}{oidLoadable, f.emptyAuth, f.rsaParent, int64(f.parent), tpm2.Marshal(f.public), tpm2.Marshal(f.private)}
	der, err := asn1.Marshal(out)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemLabel, Bytes: der}), nil
}

// boolean reads an ASN.1 BOOLEAN in which anything but 0 is true: OpenSSL's engines write 1,
// where DER has 255.
func boolean(in []byte) (bool, error) {
	var v asn1.RawValue
	rest, err := asn1.Unmarshal(in, &v)
	if err != nil || len(rest) > 0 || v.Class != asn1.ClassUniversal || v.Tag != asn1.TagBoolean || len(v.Bytes) != 1 {
		return false, errors.New("damaged TSS2 key: not a truth value")
	}
	return v.Bytes[0] != 0, nil
}
