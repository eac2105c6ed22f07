package pkcs11

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"slices"

	"kedge/internal/wire"
)

var (
	_ crypto.Signer        = (*Key)(nil)
	_ crypto.MessageSigner = (*Key)(nil)
)

// Sign signs a digest: ECDSA in ASN.1, or RSA with PKCS #1 v1.5 padding, or PSS where opts is
// a *rsa.PSSOptions. The first argument is not used: tokens have their own random numbers.
// Errors are *HelperError, *PINError and others; after each the next call may work.
func (k *Key) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	at, err := k.found(context.Background())
	if err != nil {
		return nil, err
	}
	s, err := k.scheme(at, opts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.uri, err)
	}
	return k.sign(s, digest, opts)
}

// SignMessage signs a message, which is hashed first: by the token where it has no mechanism
// for digests. See Sign.
func (k *Key) SignMessage(rand io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	hash := opts.HashFunc()
	if !hash.Available() {
		return nil, fmt.Errorf("%s: hash function %d is not available", k.uri, hash)
	}
	at, err := k.found(context.Background())
	if err != nil {
		return nil, err
	}
	h := hash.New()
	h.Write(message)
	digest := h.Sum(nil)
	if mechanism, ok := k.wholeMessage(hash); ok && !at.offers(k.digestMechanisms(opts)...) && at.offers(mechanism) {
		s := scheme{mechanism: mechanism, encode: func([]byte) ([]byte, error) { return message, nil }}
		return k.sign(s, digest, opts)
	}
	return k.Sign(rand, digest, opts)
}

// scheme is how a signature is made on the token.
type scheme struct {
	mechanism uint64
	params    []uint64
	encode    func(digest []byte) ([]byte, error) // to what the mechanism takes
}

// sign makes the signature. Where sessions or handles were lost they are made anew, once.
func (k *Key) sign(s scheme, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	ctx := context.Background()
	data, err := s.encode(digest)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.uri, err)
	}
	for attempt := 1; ; attempt++ {
		at, err := k.found(ctx)
		if err != nil {
			return nil, err
		}
		q := &wire.Request{Op: wire.OpSign, Slot: at.token.ID, Object: at.object.Handle, Mechanism: s.mechanism, Params: s.params, Data: data}
		raw, err := k.use(ctx, at, q)
		if err == nil {
			if k.m.o.Brief && at.token.Flags&flagProtectedPath == 0 {
				at.p.retire()
			}
			return k.finish(raw, digest, opts)
		}
		const attempts = 3 // the sessions may be lost once more by another key of the token
		if !isLost(err) || attempt == attempts {
			if isBroken(err) {
				at.p.retire()
			}
			return nil, fmt.Errorf("sign with %s: %w", k.uri, err)
		}
		k.lose(ctx, at)
	}
}

// use sends the request, with a PIN of its own where the key wants one for each use. Those go
// one by one: a wrong PIN would be tried by all of them else.
func (k *Key) use(ctx context.Context, at *place, q *wire.Request) ([]byte, error) {
	if !k.always {
		a, err := at.p.call(ctx, q)
		if err != nil {
			return nil, err
		}
		return a.Data, nil
	}
	k.oneByOne.Lock()
	defer k.oneByOne.Unlock()
	info := PINInfo{Token: at.token.Label, Serial: at.token.Serial, Key: k.uri.String(), Retries: retriesOf(at.p.flags(ctx, at.token))}
	if err := k.m.authenticate(ctx, q, tokenPIN{at.token, k.want, info}); err != nil {
		return nil, err
	}
	defer clear(q.PIN)
	a, err := at.p.call(ctx, q)
	if err := k.m.judge(ctx, at, q, info, err); err != nil {
		return nil, err
	}
	return a.Data, nil
}

// finish encodes the signature, and holds the first one against the public key, which need
// not come from the token.
func (k *Key) finish(raw, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signature := raw
	if public, ok := k.public.(*ecdsa.PublicKey); ok {
		var err error
		if signature, err = encodeECDSA(raw, public); err != nil {
			return nil, fmt.Errorf("sign with %s: %w", k.uri, err)
		}
	}
	if k.verified.Load() {
		return signature, nil
	}
	if !verify(k.public, digest, signature, opts) {
		return nil, fmt.Errorf("sign with %s: the token's signature does not verify with the public key; the certificate or public key with this id belongs to another key", k.uri)
	}
	k.verified.Store(true)
	return signature, nil
}

func verify(public crypto.PublicKey, digest, signature []byte, opts crypto.SignerOpts) bool {
	switch public := public.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(public, digest, signature)
	case *rsa.PublicKey:
		if pss, ok := opts.(*rsa.PSSOptions); ok {
			return rsa.VerifyPSS(public, opts.HashFunc(), digest, signature, pss) == nil
		}
		return rsa.VerifyPKCS1v15(public, opts.HashFunc(), digest, signature) == nil
	}
	return false
}

// scheme chooses the mechanism for a digest.
func (k *Key) scheme(at *place, opts crypto.SignerOpts) (scheme, error) {
	mechanisms := k.digestMechanisms(opts)
	i := slices.IndexFunc(mechanisms, func(m uint64) bool { return at.offers(m) })
	if i < 0 {
		return scheme{}, errors.New("the token has no mechanism that signs a digest as it is wanted")
	}
	s := scheme{mechanism: mechanisms[i]}
	switch public := k.public.(type) {
	case *ecdsa.PublicKey:
		s.encode = func(digest []byte) ([]byte, error) { return truncate(digest, public), nil }
		return s, nil
	case *rsa.PublicKey:
		return s.forRSA(public, opts)
	}
	return scheme{}, fmt.Errorf("signing with a %T is not supported", k.public)
}

// digestMechanisms are those that take a digest, the best first.
func (k *Key) digestMechanisms(opts crypto.SignerOpts) []uint64 {
	if _, ok := k.public.(*ecdsa.PublicKey); ok {
		return []uint64{mechECDSA}
	}
	if _, ok := opts.(*rsa.PSSOptions); ok {
		return []uint64{mechRSAPSS}
	}
	return []uint64{mechRSAPKCS, mechRSAX509}
}

// wholeMessage returns the mechanism that hashes by itself.
func (k *Key) wholeMessage(hash crypto.Hash) (mechanism uint64, ok bool) {
	_, isRSA := k.public.(*rsa.PublicKey)
	switch {
	case isRSA && hash == crypto.SHA256:
		return mechSHA256RSA, true
	case isRSA && hash == crypto.SHA384:
		return mechSHA384RSA, true
	case isRSA && hash == crypto.SHA512:
		return mechSHA512RSA, true
	case hash == crypto.SHA256:
		return mechECDSASHA256, true
	case hash == crypto.SHA384:
		return mechECDSASHA384, true
	case hash == crypto.SHA512:
		return mechECDSASHA512, true
	}
	return 0, false
}

// offers reports whether the token has one of the mechanisms.
func (at *place) offers(mechanisms ...uint64) bool {
	return slices.ContainsFunc(mechanisms, func(m uint64) bool { return slices.Contains(at.token.Mechanisms, m) })
}
