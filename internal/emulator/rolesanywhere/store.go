package rolesanywhere

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"kedge/internal/emulator/policy"
	"kedge/internal/emulator/state"
	"kedge/internal/emulator/wire"
)

// Store has the resources of all accounts and regions. It is safe for concurrent use.
type Store struct {
	// Authorize decides whether the caller of a call may perform an action, such as "rolesanywhere:GetProfile", on
	// a resource, an ARN or *, at the time of the call. Nil allows everything. It must be set before the first call.
	Authorize func(c Call, action, resource string, context policy.Context) *wire.Error

	folder state.Folder

	mu         sync.RWMutex
	resources  map[Kind]map[string]resource // by ARN
	aliases    map[string]string            // ARN of an alias -> ARN
	seeds      map[string]string            // ARN -> digest of the configuration's entry
	stored     map[string]record            // ARN -> what the state folder has for a seed to come
	seededCRLs map[string]int               // ARN of a trust anchor -> how many CRLs the configuration has given it
	issuers    map[string]*x509.Certificate // ARN of a CRL -> the certificate of its trust anchor that signed it

	seedAnchors map[string]*TrustAnchor // as the configuration has them, by ARN
}

// Open reads the resources of an earlier run from the state folder dir, which may be empty: then
// nothing is kept.
func Open(dir string) (*Store, error) {
	folder, err := state.Open(dir, Service)
	if err != nil {
		return nil, err
	}
	s := &Store{
		folder: folder, resources: map[Kind]map[string]resource{}, aliases: map[string]string{},
		seeds: map[string]string{}, stored: map[string]record{}, seededCRLs: map[string]int{}, issuers: map[string]*x509.Certificate{},
		seedAnchors: map[string]*TrustAnchor{},
	}
	for _, kind := range kinds() {
		s.resources[kind] = map[string]resource{}
	}
	return s, folder.Each(s.load)
}

// find returns a resource by its own ARN, or nil.
func (s *Store) find(name string) resource {
	for _, kind := range kinds() {
		if r := s.resources[kind][name]; r != nil {
			return r
		}
	}
	return nil
}

// canonical returns the ARN of a resource that is named by its id, its ARN or its alias' ARN (guide,
// "resource-aliases").
func (s *Store) canonical(c *Call, kind Kind, reference string) string {
	if !strings.HasPrefix(reference, "arn:") {
		return c.arnOf(kind, reference)
	}
	if own, ok := s.aliases[reference]; ok {
		return own
	}
	return reference
}

// byReference returns the resource that the path names. It must be of the caller's account and of the
// region of the request.
func (s *Store) byReference(c *Call, kind Kind) (resource, *wire.Error) {
	field := kind.member() + "Id"
	if refusal := referenceText().check(field, c.ID); refusal != nil {
		return nil, refusal
	}
	r := s.resources[kind][s.canonical(c, kind, c.ID)]
	if r == nil || !r.base().In(c.Caller.Account, c.Caller.Region) {
		return nil, notFound(c.ID)
	}
	return r, nil
}

// notFound: model; the message is ours.
func notFound(name string) *wire.Error {
	return wire.NewError(http.StatusNotFound, "ResourceNotFoundException", "Resource not found: "+shortened(name), "")
}

// edit replaces r by a copy that edit has changed. The caller holds s.mu.
func (s *Store) edit(c *Call, r resource, edit func(resource) *wire.Error) (any, *wire.Error) {
	changed := r.copy()
	if refusal := edit(changed); refusal != nil {
		return nil, refusal
	}
	changed.base().UpdatedAt = c.Now
	if refusal := s.put(changed); refusal != nil {
		return nil, refusal
	}
	previous := r.base().Alias
	if previous == changed.base().Alias {
		previous = ""
	}
	return answer(changed, previous), nil
}

// create adds a new resource of the caller. Creates are not idempotent (model: there is no client
// token): sent again, a request makes a second resource.
func (s *Store) create(c *Call, kind Kind, r resource) (any, *wire.Error) {
	b := r.base()
	b.ARN = kind.newARN(c.Caller.Account, c.Caller.Region).String()
	b.CreatedAt, b.UpdatedAt = c.Now, c.Now
	s.mu.Lock()
	defer s.mu.Unlock()
	if refusal := s.put(r); refusal != nil {
		return nil, refusal
	}
	return answer(r, ""), nil
}

// put checks a resource, stores it and makes it the one in use; with an error nothing has changed.
// The caller holds s.mu.
func (s *Store) put(r resource) *wire.Error {
	if err := s.validate(r); err != nil {
		return asInvalid(err)
	}
	if err := s.save(r); err != nil {
		return notStored(err)
	}
	s.use(r)
	return nil
}

func notStored(err error) *wire.Error {
	return wire.NewError(http.StatusInternalServerError, "InternalServerException", "The resource could not be stored", "%v", err)
}

// errAliasTaken: guide, "resource-aliases": unique among resources of a type, account and region.
var errAliasTaken = errors.New("another one has this alias")

// validate makes the checks of a resource alone, and those that need the others.
func (s *Store) validate(r resource) error {
	if err := r.check(); err != nil {
		return err
	}
	if err := s.checkAliasOf(r.base()); err != nil {
		return err
	}
	if list, ok := r.(*CRL); ok {
		return s.validateCRL(list)
	}
	return nil
}

func (s *Store) checkAliasOf(b *Base) error {
	if err := checkAlias(b.Alias); err != nil {
		return err
	}
	if own, taken := s.aliases[b.aliasARN()]; taken && own != b.ARN {
		return fmt.Errorf("%s: alias %q: %w: %s", b.ARN, b.Alias, errAliasTaken, own)
	}
	return nil
}

// use makes a resource the one in use. The caller holds s.mu.
func (s *Store) use(r resource) {
	b := r.base()
	if before := s.resources[b.kind][b.ARN]; before != nil {
		delete(s.aliases, before.base().aliasARN())
	}
	s.resources[b.kind][b.ARN] = r
	if b.Alias != "" {
		s.aliases[b.aliasARN()] = b.ARN
	}
	s.link(r)
}

// link finds the certificate that signed a CRL, or each CRL of a trust anchor. The caller holds s.mu.
func (s *Store) link(r resource) {
	var lists []*CRL
	switch r := r.(type) {
	case *CRL:
		lists = []*CRL{r}
	case *TrustAnchor:
		lists = s.crlsOf(r.ARN)
	}
	for _, l := range lists {
		delete(s.issuers, l.ARN)
		if a, ok := s.resources[KindTrustAnchor][l.TrustAnchorARN].(*TrustAnchor); ok {
			if issuer, err := a.issuerOf(l.list); err == nil {
				s.issuers[l.ARN] = issuer
			}
		}
	}
}

// drop deletes a resource. The caller holds s.mu.
func (s *Store) drop(r resource) *wire.Error {
	b := r.base()
	if err := s.forget(b); err != nil {
		return notStored(err)
	}
	delete(s.aliases, b.aliasARN())
	delete(s.resources[b.kind], b.ARN)
	delete(s.issuers, b.ARN)
	return nil
}

// IsAliasTaken reports whether an error is an alias that another resource has.
func IsAliasTaken(err error) bool { return errors.Is(err, errAliasTaken) }

// TrustAnchor returns the trust anchor with an ARN or the ARN of an alias, or nil.
func (s *Store) TrustAnchor(name string) *TrustAnchor {
	a, _ := s.named(KindTrustAnchor, name).(*TrustAnchor)
	return a
}

// OldestTrustAnchor returns the ARN of the trust anchor that was made first, or "".
func (s *Store) OldestTrustAnchor() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	oldest := &Base{}
	for _, r := range s.resources[KindTrustAnchor] {
		b := r.base()
		if oldest.ARN == "" || cmp.Or(b.CreatedAt.Compare(oldest.CreatedAt), strings.Compare(b.ARN, oldest.ARN)) < 0 {
			oldest = b
		}
	}
	return oldest.ARN
}

// Profile returns the profile with an ARN or the ARN of an alias, or nil.
func (s *Store) Profile(name string) *Profile {
	p, _ := s.named(KindProfile, name).(*Profile)
	return p
}

func (s *Store) named(kind Kind, name string) resource {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if own, ok := s.aliases[name]; ok {
		name = own
	}
	return s.resources[kind][name]
}

// HasRegion reports whether a region has a trust anchor.
func (s *Store) HasRegion(region string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, r := range s.resources[KindTrustAnchor] {
		if r.base().name.Region == region {
			return true
		}
	}
	return false
}
