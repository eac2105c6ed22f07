package awskms

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	stepkms "go.step.sm/crypto/kms/awskms"
)

// Key is a key in KMS: a crypto.Signer that signs digests, and messages with an ML-DSA key. It is safe for
// concurrent use, and needs no closing.
//
// What KMS returns is a claim: the caller verifies each signature, as package ca does.
type Key struct {
	signer   crypto.Signer
	uri      URI
	warnings []string
}

var _ crypto.Signer = (*Key)(nil)

// Open gets the public key of a key, and checks that it may sign. The context bounds opening the key,
// not its use. Errors are *Error.
func (c *Client) Open(ctx context.Context, u URI) (*Key, error) {
	if u.KeyID == "" {
		return nil, u.unconfigured(errors.New("it names no key that is there; make one with kedge-ca key create"))
	}
	s, err := c.service(ctx, u)
	if err != nil {
		return nil, err
	}
	public, err := c.publicKey(ctx, s, u)
	if err != nil {
		return nil, err
	}
	if err := checkUsage(u, public); err != nil {
		return nil, err
	}
	bound := &boundKey{client: c, service: s, uri: u, public: public}
	signer, err := stepkms.NewSigner(bound, u.KeyID)
	if err != nil {
		return nil, &Error{Kind: WrongKey, Key: u.String(), Operation: getPublicKey, Detail: "its public key cannot be read", Err: err}
	}
	return &Key{signer: signer, uri: u, warnings: u.warnings(s)}, nil
}

// The operations of KMS, as in policies.
const (
	getPublicKey = "GetPublicKey"
	sign         = "Sign"
	createKey    = "CreateKey"
	createAlias  = "CreateAlias"
)

func (c *Client) publicKey(ctx context.Context, s *service, u URI) (public *kms.GetPublicKeyOutput, err error) {
	err = c.call(ctx, s, operation{getPublicKey, u.String(), Kind.repeats, func(ctx context.Context) (err error) {
		public, err = s.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: &u.KeyID})
		return err
	}})
	return public, err
}

// checkUsage refuses keys that encrypt or agree on keys, and of types that no certificate has.
func checkUsage(u URI, public *kms.GetPublicKeyOutput) error {
	wrong := &Error{Kind: WrongKey, Key: u.String(), Operation: getPublicKey}
	if public.KeyUsage != types.KeyUsageTypeSignVerify {
		wrong.Detail = fmt.Sprintf("its usage is %s and not SIGN_VERIFY", public.KeyUsage)
		return wrong
	}
	if _, err := x509.ParsePKIXPublicKey(public.PublicKey); err != nil {
		wrong.Detail, wrong.Err = fmt.Sprintf("it is a key of type %s", public.KeySpec), err
		return wrong
	}
	return nil
}

// Public returns the public key.
func (k *Key) Public() crypto.PublicKey { return k.signer.Public() }

// Sign signs a digest, or with an ML-DSA key a message. It takes as long as Limits.Deadline at most.
// Errors of KMS are *Error.
func (k *Key) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signature, err := k.signer.Sign(rand, digest, opts)
	if e, ok := errors.AsType[*Error](err); ok { // without the words of go.step.sm/crypto around it
		return nil, e
	}
	return signature, err
}

// Warnings returns what endangers the use of the key.
func (k *Key) Warnings() []string { return k.warnings }

// String returns the URI of the key. It has no secret.
func (k *Key) String() string { return k.uri.String() }

// boundKey is the client of KMS that go.step.sm/crypto gets for one key.
type boundKey struct {
	stepkms.KeyManagementClient // nil: a signer calls no other method than those below

	client  *Client
	service *service
	uri     URI
	public  *kms.GetPublicKeyOutput
}

// GetPublicKey returns the public key that Open got.
func (b *boundKey) GetPublicKey(context.Context, *kms.GetPublicKeyInput, ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error) {
	return b.public, nil
}

// Sign signs with the key that was opened, by its ARN: an alias can be given to another key since, and
// go.step.sm/crypto writes key IDs in lower case, which would be the alias of another key.
func (b *boundKey) Sign(ctx context.Context, in *kms.SignInput, _ ...func(*kms.Options)) (out *kms.SignOutput, err error) {
	in.KeyId = aws.String(b.uri.KeyID)
	if b.public.KeyId != nil {
		in.KeyId = b.public.KeyId
	}
	err = b.client.call(ctx, b.service, operation{sign, b.uri.String(), Kind.repeats, func(ctx context.Context) (err error) {
		out, err = b.service.Sign(ctx, in)
		return err
	}})
	return out, err
}
