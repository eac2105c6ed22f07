package pkcs11

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"kedge/internal/wire"
)

// errOtherKey means that a certificate is not for the key it was meant to belong to.
var errOtherKey = errors.New("the certificate holds another public key")

// Generate makes a key pair on the one token that the URI means, and returns it. keyType is
// P-256, P-384, P-521, RSA-2048, RSA-3072 or RSA-4096. The private key cannot leave the token:
// it is sensitive and not extractable. The URI says its label (object), and may say its id,
// which is random otherwise. A pair with that label or id must not be there yet: the URI
// would mean both.
func (m *Module) Generate(ctx context.Context, u URI, keyType string) (*Key, error) {
	mechanism, specific, err := keyTypeTemplate(keyType)
	if err != nil {
		return nil, err
	}
	label, id := u.value("object"), u.value("id")
	if label == "" {
		return nil, fmt.Errorf("%s: needs object, the label of the new key", u)
	}
	p, token, err := m.enter(ctx, u)
	if err != nil {
		return nil, err
	}
	if err := p.isNew(ctx, token, u); err != nil {
		return nil, err
	}
	if id == "" {
		random := make([]byte, 8)
		rand.Read(random)
		id = string(random)
	}
	yes, no := []byte{1}, []byte{0}
	both := []wire.Attribute{{Type: attrToken, Value: yes}, {Type: attrLabel, Value: []byte(label)}, {Type: attrID, Value: []byte(id)}}
	public := append(both[:len(both):len(both)], append(specific, wire.Attribute{Type: attrVerify, Value: yes})...)
	private := append(both[:len(both):len(both)], []wire.Attribute{
		{Type: attrPrivate, Value: yes}, {Type: attrSensitive, Value: yes}, {Type: attrExtractable, Value: no}, {Type: attrSign, Value: yes},
	}...)
	a, err := p.call(ctx, &wire.Request{Op: wire.OpGenerate, Slot: token.ID, Mechanism: mechanism, Templates: [][]wire.Attribute{public, private}})
	if err != nil {
		return nil, fmt.Errorf("generate a %s key on token %q: %w", keyType, token.Label, err)
	}
	exact := u.without("type").with("id", id).with("serial", token.Serial)
	if err := p.cannotLeave(ctx, token, exact); err != nil {
		for _, o := range a.Objects {
			p.call(ctx, &wire.Request{Op: wire.OpDestroy, Slot: token.ID, Object: o.Handle})
		}
		return nil, err
	}
	return m.Key(ctx, exact, nil)
}

// ImportCertificate puts a certificate onto the one token that the URI means. The URI says its
// label (object) and id; those of Key.URI make it that key's certificate, and then it must
// hold its public key. The same certificate twice is an error.
func (m *Module) ImportCertificate(ctx context.Context, u URI, cert *x509.Certificate) error {
	p, token, err := m.enter(ctx, u)
	if err != nil {
		return err
	}
	if err := p.belongs(ctx, token, u, cert); err != nil {
		return err
	}
	there, err := p.certificates(ctx, token, URI{})
	if err != nil {
		return err
	}
	for _, c := range there {
		if c.X509 != nil && c.X509.Equal(cert) {
			return fmt.Errorf("the certificate is on the token already: %s", c.URI)
		}
	}
	label, ok := u.lookup("object")
	if !ok {
		label = cert.Subject.CommonName
	}
	serial, err := asn1.Marshal(cert.SerialNumber)
	if err != nil {
		return fmt.Errorf("serial number of the certificate: %w", err)
	}
	_, err = p.call(ctx, &wire.Request{Op: wire.OpCreate, Slot: token.ID, Templates: [][]wire.Attribute{{
		{Type: attrClass, Value: wire.Ulong(classCertificate)}, {Type: attrCertificateType, Value: wire.Ulong(certificateX509)},
		{Type: attrToken, Value: []byte{1}}, {Type: attrPrivate, Value: []byte{0}},
		{Type: attrLabel, Value: []byte(label)}, {Type: attrID, Value: []byte(u.value("id"))},
		{Type: attrSubject, Value: cert.RawSubject}, {Type: attrIssuer, Value: cert.RawIssuer},
		{Type: attrSerialNumber, Value: serial}, {Type: attrValue, Value: cert.Raw},
	}}})
	if err != nil {
		return fmt.Errorf("put the certificate onto token %q: %w", token.Label, err)
	}
	return nil
}

// enter chooses the one token that the URI means, by the attributes of the token alone, and
// logs in.
func (m *Module) enter(ctx context.Context, u URI) (*process, wire.Slot, error) {
	p, err := m.running(ctx)
	if err != nil {
		return nil, wire.Slot{}, err
	}
	tokens, all, err := p.tokens(ctx, u)
	if err != nil {
		return nil, wire.Slot{}, err
	}
	if len(tokens) == 1 {
		return p, tokens[0], m.login(ctx, p, tokens[0], u)
	}
	uris := func(tokens []wire.Slot) (uris []URI) {
		for _, t := range tokens {
			uris = append(uris, u.uriOfToken(t))
		}
		return uris
	}
	if len(tokens) == 0 {
		return nil, wire.Slot{}, &NotFoundError{URI: u, What: "token", There: uris(all)}
	}
	return nil, wire.Slot{}, &AmbiguousError{URI: u, What: "token", Candidates: uris(tokens)}
}

// isNew refuses a label or an id that a key on the token has.
func (p *process) isNew(ctx context.Context, t wire.Slot, u URI) error {
	for _, name := range []string{"object", "id"} {
		value := u.value(name)
		if value == "" {
			continue
		}
		uris, err := p.visible(ctx, t, URI{}.with(name, value))
		if err != nil {
			return err
		}
		if len(uris) > 0 {
			return fmt.Errorf("token %q has a key or certificate with this %s already:%s", t.Label, name, lines(uris))
		}
	}
	return nil
}

// cannotLeave asks the token whether it made the key as it was told.
func (p *process) cannotLeave(ctx context.Context, t wire.Slot, u URI) error {
	keys, err := p.find(ctx, t, classPrivateKey, u, []uint64{attrSensitive, attrExtractable})
	if err != nil {
		return err
	}
	if len(keys) != 1 || !isTrue(keys[0].Get(attrSensitive)) || isTrue(keys[0].Get(attrExtractable)) {
		return fmt.Errorf("token %q made a key that can leave it; it was removed", t.Label)
	}
	return nil
}

// belongs refuses a certificate for the id of a key that it is not for.
func (p *process) belongs(ctx context.Context, t wire.Slot, u URI, cert *x509.Certificate) error {
	id := u.value("id")
	if id == "" {
		return nil
	}
	keys, err := p.keysNamed(ctx, t, URI{}.with("id", id))
	if err != nil || len(keys) != 1 {
		return err
	}
	at := &place{p: p, token: t, object: keys[0]}
	public, err := at.publicKey(ctx, nil)
	switch {
	case errors.Is(err, ErrNoPublicKey): // it will be this certificate's
		return at.fits(cert.PublicKey)
	case err != nil:
		return err
	case !sameKey(public, cert.PublicKey):
		return fmt.Errorf("%s: %w", u.uriOf(t, keys[0], "private"), errOtherKey)
	}
	return nil
}

// keyTypeTemplate returns the mechanism that makes a key of this type, and what the public
// template must say.
func keyTypeTemplate(keyType string) (mechanism uint64, specific []wire.Attribute, err error) {
	for _, c := range curves() {
		if c.name == keyType {
			params, err := asn1.Marshal(c.oid)
			return mechECKeyPairGen, []wire.Attribute{{Type: attrECParams, Value: params}}, err
		}
	}
	if text, ok := strings.CutPrefix(keyType, "RSA-"); ok {
		if bits, err := strconv.ParseUint(text, 10, 16); err == nil && (bits == 2048 || bits == 3072 || bits == 4096) {
			return mechRSAKeyPairGen, []wire.Attribute{
				{Type: attrModulusBits, Value: wire.Ulong(bits)}, {Type: attrPublicExponent, Value: []byte{1, 0, 1}},
			}, nil
		}
	}
	return 0, nil, fmt.Errorf("key type %q is none of P-256, P-384, P-521, RSA-2048, RSA-3072 and RSA-4096", keyType)
}
