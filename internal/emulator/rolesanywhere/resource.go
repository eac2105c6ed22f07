package rolesanywhere

import (
	"slices"
	"time"

	"kedge/internal/emulator/arn"
	"kedge/internal/emulator/wire"
)

// Service is the name of the service in ARNs, in the scope of signatures and in actions of policies.
const Service = "rolesanywhere"

// Kind is a kind of resource, as it stands in ARNs.
type Kind string

// The kinds of resources.
const (
	KindTrustAnchor Kind = "trust-anchor"
	KindProfile     Kind = "profile"
	KindCRL         Kind = "crl"
	KindSubject     Kind = "subject"
)

// member returns the name of a resource of this kind in answers; several have an s more.
func (k Kind) member() string {
	if k == KindTrustAnchor {
		return "trustAnchor"
	}
	return string(k)
}

func kinds() []Kind { return []Kind{KindTrustAnchor, KindProfile, KindCRL, KindSubject} }

// newARN returns the ARN of a new resource of this kind.
func (k Kind) newARN(account, region string) arn.ARN {
	return arn.ARN{
		Partition: arn.PartitionOf(region), Service: Service, Region: region, Account: account,
		Resource: string(k) + "/" + wire.NewUUID(),
	}
}

// Base is what resources of every kind have.
type Base struct {
	ARN       string    `json:"arn"`
	Name      string    `json:"name,omitzero"`
	Alias     string    `json:"aliasName,omitzero"`
	Enabled   bool      `json:"enabled"`
	Tags      []Tag     `json:"tags,omitzero"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`

	name arn.ARN // ARN, parsed
	kind Kind
}

// resource is a trust anchor, a profile, a CRL or a subject.
type resource interface {
	base() *Base
	// copy returns a copy that may be changed.
	copy() resource
	// detail returns the form in answers. An update names the previous alias if it has changed.
	detail(previousAlias string) any
	// check makes the checks that need more than one member, and derives the unexported fields. It
	// returns a ValidationException.
	check() error
}

func (b *Base) base() *Base { return b }

// id returns the resource's id, which in the service is a UUID.
func (b *Base) id() string { return b.name.Resource[len(b.kind)+1:] }

// parse derives the unexported fields.
func (b *Base) parse(kind Kind) (err error) {
	b.kind = kind
	b.name, err = arn.Parse(b.ARN, Service, string(kind))
	return err
}

// In reports whether the resource is of an account and a region.
func (b *Base) In(account, region string) bool {
	return b.name.Account == account && b.name.Region == region
}

// ParsedARN returns the ARN of a resource that is in a [Store].
func (b *Base) ParsedARN() arn.ARN { return b.name }

// setName changes the name if there is one.
func (b *Base) setName(name *string) {
	if name != nil {
		b.Name = *name
	}
}

func (b *Base) copyBase() Base {
	c := *b
	c.Tags = slices.Clone(b.Tags)
	return c
}
