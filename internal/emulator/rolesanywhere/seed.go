package rolesanywhere

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"kedge/internal/emulator/arn"
	"kedge/internal/emulator/wire"
)

// Seeds are the resources of a configuration. They are there at every start, as the configuration has
// them or as operations of an earlier run have left them; see [record].

// SeedTrustAnchor adds a trust anchor of the configuration.
func (s *Store) SeedTrustAnchor(a *TrustAnchor, now time.Time) error { return s.seed(a, now) }

// SeedProfile adds a profile of the configuration.
func (s *Store) SeedProfile(p *Profile, now time.Time) error { return s.seed(p, now) }

// AddCRL adds a CRL, PEM or DER, that the CA of a trust anchor signed.
func (s *Store) AddCRL(anchor string, data []byte, now time.Time) error {
	list, err := ParseCRL(data)
	if err != nil {
		return err
	}
	if a := s.TrustAnchor(anchor); a != nil {
		if _, err := a.issuerOf(list); err != nil {
			return err
		}
	}
	return s.SeedCRL(anchor, data, now)
}

// SeedCRL adds a CRL of the configuration, PEM or DER, to a trust anchor. One to a trust anchor that was deleted is
// left out. To one that an operation has given the certificates of another CA it is added, and revokes nothing.
func (s *Store) SeedCRL(anchor string, data []byte, now time.Time) error {
	s.mu.Lock()
	name, err := arn.Parse(anchor, Service, string(KindTrustAnchor))
	if err != nil {
		s.mu.Unlock()
		return err
	}
	n := s.seededCRLs[anchor] + 1
	known, isSeed := s.resources[KindTrustAnchor][anchor], s.seeds[anchor] != ""
	s.mu.Unlock()
	if known == nil && isSeed {
		return nil
	}
	name.Resource = string(KindCRL) + "/" + wire.FormatUUID(digest(fmt.Sprint(anchor, n)))
	l := &CRL{Base: Base{ARN: name.String(), Name: fmt.Sprintf("kedge-%d", n), Enabled: true}, Data: data, TrustAnchorARN: anchor}
	if err := s.seed(l, now); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seededCRLs[anchor] = n
	return nil
}

// InstallTrustAnchor adds a trust anchor, or replaces the one with the same ARN and its CRLs, for this
// run alone.
func (s *Store) InstallTrustAnchor(a *TrustAnchor, now time.Time) error {
	if err := s.install(a, now); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.crlsOf(a.ARN) {
		delete(s.aliases, l.aliasARN())
		delete(s.resources[KindCRL], l.ARN)
		delete(s.seeds, l.ARN)
	}
	delete(s.seededCRLs, a.ARN)
	delete(s.seedAnchors, a.ARN)
	return nil
}

// InstallProfile adds a profile, or replaces the one with the same ARN, for this run alone.
func (s *Store) InstallProfile(p *Profile, now time.Time) error { return s.install(p, now) }

func (s *Store) install(r resource, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.validate(r); err != nil {
		return err
	}
	r.base().setTimes(now)
	s.use(r)
	return nil
}

func (b *Base) setTimes(now time.Time) {
	b.CreatedAt = now.UTC().Truncate(time.Microsecond)
	b.UpdatedAt = b.CreatedAt
}

// seed adds a resource of the configuration, or what operations of an earlier run have made of it. It
// counts as created now, as the configuration has no other time.
func (s *Store) seed(r resource, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, err := json.Marshal(r, json.Deterministic(true))
	if err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return err
	}
	b := r.base()
	if s.seeds[b.ARN] != "" {
		return fmt.Errorf("%s is configured twice", b.ARN)
	}
	b.setTimes(now)
	s.seeds[b.ARN] = hexDigest(data)
	if a, ok := r.(*TrustAnchor); ok {
		s.seedAnchors[b.ARN] = a
	}
	r, err = s.recall(r)
	if err != nil || r == nil {
		return err
	}
	s.use(r)
	return nil
}

// recall returns what the state folder has of a seed: the seed as it is, what operations have made of
// it, or nil if it was deleted. The others may have changed since the configuration was written, so that only a seed
// that is used as it is must fit to them. The caller holds s.mu.
func (s *Store) recall(r resource) (resource, error) {
	b := r.base()
	rec, isStored := s.stored[b.ARN]
	delete(s.stored, b.ARN)
	switch {
	case !isStored:
		return r, s.fits(r)
	case rec.Seed != s.seeds[b.ARN]:
		if err := s.fits(r); err != nil {
			return nil, err
		}
		return r, s.folder.Remove(fileOf(b.kind, b.ARN))
	case rec.Deleted:
		return nil, nil
	}
	kept, err := rec.decode()
	if err == nil {
		err = s.checkAliasOf(kept.base())
	}
	if err != nil {
		return nil, fmt.Errorf("%s in the state folder: %w", b.ARN, err)
	}
	return kept, nil
}

// fits makes the checks of a seed that need others: a CRL must be signed by the CA of the configuration's trust anchor,
// which an operation may have given another one. The caller holds s.mu.
func (s *Store) fits(r resource) error {
	if err := s.checkAliasOf(r.base()); err != nil {
		return err
	}
	l, ok := r.(*CRL)
	if !ok {
		return nil
	}
	if a := s.seedAnchors[l.TrustAnchorARN]; a != nil {
		return s.checkNewCRL(l, a)
	}
	return s.validateCRL(l)
}

// DropOthers removes what the state folder has of seeds that are not there any more, and returns their ARNs. It is called
// once the configuration has seeded all it has.
func (s *Store) DropOthers() ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := slices.Sorted(maps.Keys(s.stored))
	for _, name := range gone {
		if err := s.folder.Remove(fileOf(s.stored[name].Kind, name)); err != nil {
			return nil, err
		}
	}
	clear(s.stored)
	return gone, nil
}

// ErrNoSigner is returned for a CRL that no trust anchor's CA signed.
var ErrNoSigner = errors.New("the CRL is not signed by the CA of a trust anchor")

// Signers returns the ARNs of the trust anchors whose CA signed a CRL, sorted.
func (s *Store) Signers(data []byte) ([]string, error) {
	list, err := ParseCRL(data)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.resources[KindTrustAnchor])) {
		if _, err := s.resources[KindTrustAnchor][name].(*TrustAnchor).issuerOf(list); err == nil {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, ErrNoSigner
	}
	return names, nil
}
