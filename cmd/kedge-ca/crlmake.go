package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"kedge/ca/issuance"
	"kedge/internal/atomicfile"
	"kedge/internal/safefile"
)

// crlFolder is below the CA's.
const crlFolder = "crl"

// maxCRLFile bounds what is read: many times what IAM Roles Anywhere takes.
const maxCRLFile = 64 << 20

// writtenCRL is a list and its files.
type writtenCRL struct {
	issuance.CRL
	File    string `json:"file"`
	DERFile string `json:"der_file"`
}

// maxRaces is how often a list is made anew after another process made a later one.
const maxRaces = 20

// crlPath is the path of an authority's complete list, without its ending.
func (f *storeFlags) crlPath(authority string) string {
	return filepath.Join(f.dir, crlFolder, authority)
}

// lastList reads the last complete list of an authority.
func (f *storeFlags) lastList(authority string) ([]byte, error) {
	return safefile.ReadRegular(f.crlPath(authority)+".der", maxCRLFile)
}

// writeCRL makes the list of an authority and writes its files.
func (s *store) writeCRL(ctx context.Context, r issuance.CRLRequest) (*writtenCRL, error) {
	m, err := s.makeCRL(ctx, r)
	if err != nil {
		return nil, err
	}
	return s.writeLast(ctx, m, func() (*issuance.CRL, error) { return s.makeCRL(ctx, r) })
}

func (s *store) makeCRL(ctx context.Context, r issuance.CRLRequest) (*issuance.CRL, error) {
	if _, err := s.Authority(ctx, r.Authority); err != nil {
		return nil, err
	}
	m, err := s.service.MakeCRL(ctx, r)
	return m, s.flags.locate(err)
}

// locate names the file in an error about the last list of an authority.
func (f *storeFlags) locate(err error) error {
	if lost, ok := errors.AsType[*issuance.NoBaseError](err); ok {
		lost.Where = f.crlPath(lost.Authority) + ".der"
	}
	if forgotten, ok := errors.AsType[*issuance.ForgottenError](err); ok {
		forgotten.Where = f.crlPath(forgotten.Authority) + ".der"
	}
	if odd, ok := errors.AsType[*issuance.OddListError](err); ok {
		odd.Where = f.crlPath(odd.Authority) + ".der"
	}
	return err
}

// writeLast writes a list. Another process may have made a later one meanwhile and written it
// first: as long as there is a later one, the list is made and written again, so that none
// stays in the place of a newer.
func (s *store) writeLast(ctx context.Context, m *issuance.CRL, again func() (*issuance.CRL, error)) (*writtenCRL, error) {
	for range maxRaces {
		written, err := s.flags.writeList(m)
		if err != nil {
			return nil, err
		}
		last, err := s.service.IsLastCRL(ctx, m)
		if err != nil || last {
			return written, err
		}
		if m, err = again(); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("write the list of %q: other processes write it again and again", m.Authority)
}

// writeList writes the two files of a list.
func (f *storeFlags) writeList(m *issuance.CRL) (*writtenCRL, error) {
	base := f.crlPath(m.Authority)
	if m.Base != 0 {
		base += ".delta"
	}
	w := &writtenCRL{CRL: *m, File: base + ".crl", DERFile: base + ".der"}
	return w, atomicfile.WriteAll(atomicfile.File{Path: w.DERFile, Data: m.DER, Mode: 0o644}, atomicfile.File{Path: w.File, Data: m.PEM, Mode: 0o644})
}

// soon is how many days ahead a list that will be too large is warned of.
const soon = 60

// report tells what was made.
func (m *writtenCRL) report(h host) {
	kind := fmt.Sprintf("list %d", m.Number)
	if m.Base != 0 {
		kind = fmt.Sprintf("list %d, a delta to list %d,", m.Number, m.Base)
	}
	changes := "what has changed is not known, since the last list is not in its file any more"
	if m.Compared {
		changes = fmt.Sprintf("%d added, %d removed", len(m.Added), len(m.Removed))
	}
	h.say(fmt.Sprintf("wrote %s and .der: %s of %q with %d revoked (%s); the next is due before %s",
		m.File, kind, m.Issuer, m.Entries, changes, rfc3339(m.NextUpdate)))
	m.reportSerials(h)
	if m.NextUpdate.After(m.End) {
		h.warn(fmt.Sprintf("%s counts until %s only, when its CA ends", m.File, rfc3339(m.End)))
	}
	if m.Base != 0 {
		return
	}
	text := fmt.Sprintf("%s has %d of %d bytes: room for %d more", m.File, m.Size, m.MaxSize, m.Room)
	switch {
	case m.Size > m.MaxSize:
		h.warn(fmt.Sprintf("%s has %d bytes; IAM Roles Anywhere takes %d at most: rotate to a new CA, or issue for shorter times", m.File, m.Size, m.MaxSize))
	case m.DaysLeft != nil && *m.DaysLeft < soon:
		h.warn(fmt.Sprintf("%s, for about %.0f days at %.1f a day: rotate to a new CA before, or issue for shorter times", text, *m.DaysLeft, m.PerDay))
	case m.DaysLeft != nil:
		h.say(fmt.Sprintf("%s, for about %.0f days at %.1f a day", text, *m.DaysLeft, m.PerDay))
	default:
		h.say(text + "; it does not grow")
	}
}

func (m *writtenCRL) reportSerials(h host) {
	for _, change := range []struct {
		word    string
		serials []string
	}{{"added", m.Added}, {"removed", m.Removed}} {
		n := len(change.serials)
		if n == 0 || !m.Compared {
			continue
		}
		text := strings.Join(change.serials[:min(n, maxNamed)], ", ")
		if n > maxNamed {
			text += fmt.Sprintf(" and %d more", n-maxNamed)
		}
		h.say(change.word + " " + text)
	}
}
