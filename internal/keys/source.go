package keys

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"kedge/pkcs11"
	"kedge/signer"
	"kedge/tpm"
)

// Source is a signer.Source with a key in hardware. It re-reads certificates when their files
// change, when the certificate has expired, and from a token each time. It reopens the key when its
// file changes, and when a new certificate is for another key.
//
// If the new pair cannot be used, it returns the old identity as long as that is valid, and tries
// again at every call. An identity may be used until the second one after it is returned.
type Source struct {
	pair Pair

	mu      sync.Mutex // guards the rest
	fresh   bool       // current has not been returned yet
	current *signer.Identity
	key     *Key
	old     *Key // of the previous identity, which may be in use
	seen    signer.Stamp
	keySeen signer.Stamp
	err     error        // why the current files could not be used
	refused bool         // err means that a PIN or an auth value is wrong
	tried   signer.Stamp // of the files that err is about
}

// NewSource opens the key and makes the identity. Close closes the key.
func NewSource(ctx context.Context, p Pair) (*Source, error) {
	if u, err := tpm.ParseURI(p.Key); err == nil && u.File != "" {
		p.Files.PrivateKey = signer.File(u.File) // so that changes are noticed
	}
	s := &Source{pair: p, fresh: true}
	err := s.first(ctx)
	if _, mismatch := errors.AsType[*signer.KeyMismatchError](err); mismatch && !p.Files.Stamp().Equal(s.seen) {
		err = s.first(ctx)
	}
	if err != nil {
		return nil, err
	}
	s.pair.Meanwhile = nil // only for the first time
	return s, nil
}

// first opens the key and makes the first identity.
func (s *Source) first(ctx context.Context) (err error) {
	s.seen, s.keySeen = s.pair.Files.Stamp(), s.pair.keyFile().Stamp()
	now := s.pair.now()
	if s.key, err = now.openKey(ctx); err != nil {
		return err
	}
	if s.current, err = now.identity(ctx, s.key); err != nil {
		s.key.Close()
	}
	return err
}

// keyFile returns the part of the pair's files that the key is read from.
func (p *Pair) keyFile() signer.Files { return signer.Files{PrivateKey: p.Files.PrivateKey} }

// Identity returns the current identity, or the last valid one. The error is a
// *signer.ValidityError if that has expired, joined with the reason why there is no newer one.
func (s *Source) Identity(ctx context.Context) (*signer.Identity, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.fresh {
		s.reload(ctx)
	}
	s.fresh = false
	err := s.current.CheckTime(s.pair.Files.Now())
	switch {
	case err == nil:
		return s.current, nil
	case s.err == nil:
		return nil, err
	}
	return nil, fmt.Errorf("%w; %w", err, s.err)
}

// Loaded returns the identity that was returned or loaded last, without checking for changes.
func (s *Source) Loaded() *signer.Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// Err returns why the current files could not be used, or nil. A daemon logs it, since Identity
// still returns the old pair.
func (s *Source) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// InTPM reports whether the key can be in a TPM, where it stays loaded if it is not closed.
func (s *Source) InTPM() bool { return s.pair.InTPM() }

// Close closes the key.
func (s *Source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.key.Close(), s.closeOld())
}

func (s *Source) closeOld() error {
	old := s.old
	s.old = nil
	if old == nil {
		return nil
	}
	return old.Close()
}

func (s *Source) reload(ctx context.Context) {
	// The stamps are taken before reading: if a file changes in between, it is read again.
	seen, keySeen := s.pair.Files.Stamp(), s.pair.keyFile().Stamp()
	changed := !seen.Equal(s.seen)
	if !changed && s.pair.Certificate == "" {
		s.err = nil // the files are the old ones again
		if s.current.CheckTime(s.pair.Files.Now()) == nil {
			return
		}
	}
	if s.refused && seen.Equal(s.tried) {
		return // the TPM or token would count another attempt
	}
	id, key, err := s.load(ctx, !keySeen.Equal(s.keySeen))
	s.refused, s.tried = isRefusal(err), seen
	switch {
	case err == nil:
		s.setCurrent(id, key)
		s.seen, s.keySeen, s.err = seen, keySeen, nil
	case changed || s.pair.Certificate != "":
		s.err = fmt.Errorf("keeping the old certificate: %w", err)
	}
}

// load returns the current identity, with the open key if that still matches.
func (s *Source) load(ctx context.Context, newKey bool) (*signer.Identity, *Key, error) {
	now := s.pair.now()
	if !newKey {
		id, err := now.identity(ctx, s.key)
		if _, other := errors.AsType[*signer.KeyMismatchError](err); !other {
			return id, s.key, err
		}
	}
	key, err := now.reopenKey(ctx, s.key)
	if err != nil {
		return nil, nil, err
	}
	id, err := now.identity(ctx, key)
	if err != nil {
		if key.mod == nil || key.mod != s.key.mod {
			key.Close()
		}
		return nil, nil, err
	}
	return id, key, nil
}

// isRefusal reports whether err is a refused PIN or auth value.
func isRefusal(err error) bool {
	if _, ok := errors.AsType[*pkcs11.PINError](err); ok {
		return true
	}
	_, ok := errors.AsType[*tpm.AuthError](err)
	return ok
}

// setCurrent makes the identity the current one. The previous key stays open for users of the old
// identity.
func (s *Source) setCurrent(id *signer.Identity, key *Key) {
	s.current = id
	switch {
	case key == s.key:
	case key.mod != nil && key.mod == s.key.mod: // closing one would close the other
		s.key = key
	default:
		s.closeOld()
		s.old, s.key = s.key, key
	}
}
