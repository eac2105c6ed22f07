package takeover

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// readLists is the first pass: it reads the revocations of every file, and leaves certificates to
// the second.
func (r *reader) readLists() error {
	return r.walk(func(f *file) error {
		if f.isBackup() {
			return nil
		}
		data, err := f.read()
		switch {
		case err != nil: // the second pass reports it
		case filepath.Base(f.path) == "crlnumber":
			r.once(f, func() { r.readCRLNumber(f.path, data) })
		case isIndex(f.path, data):
			r.once(f, func() { r.readIndex(f.path, data) })
		case !isPEM(data), bytes.Contains(data, []byte(labelCRL)):
			if lists := crlsIn(data); len(lists) > 0 {
				r.once(f, func() { r.readFoundCRLs(f, lists) })
			}
		}
		return nil
	})
}

// once calls read unless the file was read already, under whatever name.
func (r *reader) once(f *file, read func()) {
	if id := f.id(); !r.known[id] {
		r.known[id] = true
		read()
	}
}

// readFoundCRLs adds the CRLs of a file that the operator did not name as one. It reports those of
// other CAs.
func (r *reader) readFoundCRLs(f *file, lists [][]byte) {
	for _, der := range lists {
		list, err := r.parseCRL(der)
		if err != nil {
			if der != nil { // a damaged block is reported with the others of its file
				r.skip(Unreadable, f.path, 0, err.Error())
			}
			continue
		}
		r.addCRL(f.path, list)
	}
}

// finish is the last pass: revocations without a certificate, then certificates that index.txt
// lists as valid and that were not found.
func (r *reader) finish() error {
	for _, s := range r.withoutCertificate() {
		n := r.revoked[s]
		item := Item{Serial: s.big(), Subject: n.subject, Revoked: r.public(n), From: r.placeName(n.place)}
		if n.expires != 0 {
			item.NotAfter = time.Unix(n.expires, 0).UTC()
		}
		r.sum.SerialsOnly++
		if err := r.yield(item); err != nil {
			return err
		}
	}
	r.nameMissing()
	for s := range r.expired {
		if _, ok := r.taken[s]; !ok && !r.own[s] && r.revoked[s] == nil {
			r.sum.Forgotten++
		}
	}
	return r.ctx.Err()
}

// withoutCertificate returns the revoked serial numbers without a certificate, sorted.
func (r *reader) withoutCertificate() []serial {
	var serials []serial
	for s := range r.revoked {
		if _, ok := r.taken[s]; !ok {
			serials = append(serials, s)
		}
	}
	slices.SortFunc(serials, func(a, b serial) int { return bytes.Compare(a[:], b[:]) })
	return serials
}

// nameMissing reports the certificates that index.txt lists as valid and that were not found, and
// those that a CRL revokes, in the order of the lines.
func (r *reader) nameMissing() {
	var serials []serial
	for s := range r.listed {
		if _, ok := r.taken[s]; !ok && !r.own[s] || r.revoked[s] != nil {
			serials = append(serials, s)
		}
	}
	slices.SortFunc(serials, func(a, b serial) int {
		x, y := r.listed[a], r.listed[b]
		return int(x.file-y.file)<<32 + int(x.line-y.line)
	})
	for _, s := range serials {
		at := r.listed[s]
		if n := r.revoked[s]; n != nil {
			r.skip(Doubt, r.files[at.file], int(at.line), fmt.Sprintf("the certificate %s is valid here and revoked in %s; it is taken as revoked", s, r.placeName(n.place)))
			continue
		}
		r.skip(Missing, r.files[at.file], int(at.line), fmt.Sprintf("the certificate %s is valid, but its file is not there; name the folder that has %s.pem", s, s))
	}
}
