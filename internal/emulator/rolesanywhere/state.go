package rolesanywhere

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
)

// record is a resource in the state folder.
//
// What the configuration has, a seed, is in the folder only if an operation has changed or deleted
// it. Then Seed is the digest of the configuration's entry, and the record counts as long as the
// entry stays the same: a changed configuration replaces what operations have changed.
type record struct {
	Kind     Kind           `json:"kind"`
	ARN      string         `json:"arn"`
	Seed     string         `json:"seed,omitzero"`
	Deleted  bool           `json:"deleted,omitzero"`
	Resource jsontext.Value `json:"resource,omitzero"`
}

func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:16]
}

func hexDigest(data []byte) string { return hex.EncodeToString(digest(string(data))) }

// fileOf returns the name of a resource's file.
func fileOf(kind Kind, name string) string { return string(kind) + "-" + hexDigest([]byte(name)) }

// empty returns a resource of a kind without any content.
func empty(kind Kind) resource {
	switch kind {
	case KindTrustAnchor:
		return &TrustAnchor{}
	case KindProfile:
		return &Profile{}
	case KindCRL:
		return &CRL{}
	case KindSubject:
		return &Subject{}
	}
	return nil
}

// load takes a file of the state folder.
func (s *Store) load(file string, content []byte) error {
	var rec record
	if err := json.Unmarshal(content, &rec, json.RejectUnknownMembers(true)); err != nil {
		return errors.New("it is not a resource")
	}
	if file != fileOf(rec.Kind, rec.ARN) {
		return fmt.Errorf("it is named as that of another resource than %q", rec.ARN)
	}
	if rec.Seed != "" {
		s.stored[rec.ARN] = rec // until the configuration has it
		return nil
	}
	r, err := rec.decode()
	if err != nil {
		return err
	}
	s.use(r)
	return nil
}

// decode returns the resource of a record, checked as when it was put.
func (rec record) decode() (resource, error) {
	r := empty(rec.Kind)
	if r == nil {
		return nil, fmt.Errorf("there is no kind %q of resources", rec.Kind)
	}
	if err := json.Unmarshal(rec.Resource, r, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("it is not a %s", rec.Kind)
	}
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("it is not a valid %s: %w", rec.Kind, err)
	}
	if r.base().ARN != rec.ARN {
		return nil, fmt.Errorf("it has the ARN %q and is that of %q", r.base().ARN, rec.ARN)
	}
	return r, nil
}

// save writes a resource into the state folder.
func (s *Store) save(r resource) error {
	rec, err := s.record(r)
	if err != nil {
		return err
	}
	return s.folder.Write(fileOf(rec.Kind, rec.ARN), rec)
}

// record returns what the state folder has of a resource.
func (s *Store) record(r resource) (record, error) {
	value, err := json.Marshal(r, json.Deterministic(true))
	b := r.base()
	return record{Kind: b.kind, ARN: b.ARN, Seed: s.seeds[b.ARN], Resource: value}, err
}

// Report has a function called when a subject could not be written into the state folder after the
// call that named it; see Report of package state.
func (s *Store) Report(report func(error)) { s.folder.Report(report) }

// Flush writes what waits to be written into the state folder, subjects, until ctx ends.
func (s *Store) Flush(ctx context.Context) error { return s.folder.Flush(ctx) }

// forget removes a resource from the state folder. Of a seed it stays that it was deleted.
func (s *Store) forget(b *Base) error {
	if seed := s.seeds[b.ARN]; seed != "" {
		return s.folder.Write(fileOf(b.kind, b.ARN), record{Kind: b.kind, ARN: b.ARN, Seed: seed, Deleted: true})
	}
	return s.folder.Remove(fileOf(b.kind, b.ARN))
}
