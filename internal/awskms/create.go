package awskms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// keySpecs are the types of keys that Create makes, as a profile names them, and as KMS does.
func keySpecs() []struct {
	name string
	spec types.KeySpec
} {
	return []struct {
		name string
		spec types.KeySpec
	}{
		{"P-256", types.KeySpecEccNistP256}, {"P-384", types.KeySpecEccNistP384}, {"P-521", types.KeySpecEccNistP521},
		{"RSA-2048", types.KeySpecRsa2048}, {"RSA-3072", types.KeySpecRsa3072}, {"RSA-4096", types.KeySpecRsa4096},
		{"ML-DSA-44", types.KeySpecMlDsa44}, {"ML-DSA-65", types.KeySpecMlDsa65}, {"ML-DSA-87", types.KeySpecMlDsa87},
	}
}

// KeyTypes returns the types of keys that Create can make.
func KeyTypes() (names []string) {
	for _, k := range keySpecs() {
		names = append(names, k.name)
	}
	return names
}

// CheckNew returns why Create cannot make such a key, as far as that shows without trying.
func CheckNew(u URI, keyType string) error {
	if u.Name == "" {
		return fmt.Errorf("%s names a key that is there; a new one gets a name: awskms:name=NAME;region=REGION", u)
	}
	if !slices.Contains(KeyTypes(), keyType) {
		return fmt.Errorf("key type %q is none of %s", keyType, strings.Join(KeyTypes(), ", "))
	}
	return nil
}

// Create makes a key that signs, whose alias is the name in the URI, and returns what Open opens it
// by: its ID, since an alias can be given to another key. Errors are those of CheckNew, *Error,
// *TakenError, *UnnamedError and *UnknownError.
func (c *Client) Create(ctx context.Context, u URI, keyType string) (URI, error) {
	if err := CheckNew(u, keyType); err != nil {
		return URI{}, err
	}
	s, err := c.service(ctx, u)
	if err != nil {
		return URI{}, err
	}
	if err := c.checkFree(ctx, s, u); err != nil {
		return URI{}, err
	}
	id, err := c.create(ctx, s, u, keyType)
	if err != nil {
		return URI{}, err
	}
	made := URI{KeyID: id, Region: s.region, Profile: u.Profile}
	if err := c.name(ctx, s, u, id); err != nil {
		return URI{}, &UnnamedError{made.String(), err}
	}
	return made, nil
}

func (u URI) alias() string { return "alias/" + u.Name }

// aliased is the key that has the alias of a new one.
func (u URI) aliased() URI { return URI{KeyID: u.alias(), Region: u.Region, Profile: u.Profile} }

// checkFree refuses an alias that is taken, before a key is made that could not get it.
func (c *Client) checkFree(ctx context.Context, s *service, u URI) error {
	_, err := c.publicKey(ctx, s, u.aliased())
	e, ok := err.(*Error)
	switch {
	case err != nil && !ok: // the caller went away
		return err
	case err == nil, e.Kind == Disabled, e.Kind == PendingDeletion, e.Kind == WrongState, e.Kind == WrongKey:
		return &TakenError{u.alias()}
	case e.Kind == NotFound:
		return nil
	}
	return err
}

// create makes the key. A request whose answer is lost is not repeated: each one makes a key.
func (c *Client) create(ctx context.Context, s *service, u URI, keyType string) (id string, err error) {
	at := slices.Index(KeyTypes(), keyType)
	in := &kms.CreateKeyInput{KeySpec: keySpecs()[at].spec, KeyUsage: types.KeyUsageTypeSignVerify, Description: aws.String("CA key " + u.Name)}
	onlyThrottled := func(k Kind) bool { return k == Throttled }
	err = c.call(ctx, s, operation{createKey, u.String(), onlyThrottled, func(ctx context.Context) error {
		made, err := s.CreateKey(ctx, in)
		if err == nil && made.KeyMetadata != nil {
			id = aws.ToString(made.KeyMetadata.KeyId)
		}
		return err
	}})
	if err == nil && id == "" {
		err = &UnknownError{errors.New("the answer of KMS does not name it")}
	}
	if e, ok := err.(*Error); err != nil && (!ok || e.Kind == Slow || e.Kind == Unreachable || e.Kind == Unavailable) {
		err = &UnknownError{err}
	}
	return id, err
}

// name gives the key its alias. After a lost answer it may be the key's already. A key that was just made
// may be unknown for a moment (AWS KMS Developer Guide, "AWS KMS eventual consistency").
func (c *Client) name(ctx context.Context, s *service, u URI, id string) error {
	repeats := func(k Kind) bool { return k.repeats() || k == NotFound }
	err := c.call(ctx, s, operation{createAlias, u.String(), repeats, func(ctx context.Context) error {
		_, err := s.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String(u.alias()), TargetKeyId: &id})
		return err
	}})
	if !exists(err) {
		return err
	}
	if public, other := c.publicKey(ctx, s, u.aliased()); other == nil && strings.HasSuffix(aws.ToString(public.KeyId), ":key/"+id) {
		return nil
	}
	return err
}
