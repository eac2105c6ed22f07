package enroll

import (
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
)

// reference is what the ledger should be, and the rules for hosts in plain maps.
type reference struct {
	at       time.Time           // of the last entry
	certs    map[string]*refCert // by serial number
	lineages map[int]*refLineage // those that have not ended
	tokens   map[string]*refToken
	denied   map[string]bool
}

type refCert struct {
	name, serial, key   string
	notBefore, notAfter time.Time
	lineage             int
	revoked             bool
	reason              ca.Reason
}

type refLineage struct {
	newest     string // serial number
	recoveries int
}

type refToken struct {
	ledger.Token
	revoked bool
	by      map[string]string // the serial number that a key got
}

func newReference() *reference {
	return &reference{certs: map[string]*refCert{}, lineages: map[int]*refLineage{}, tokens: map[string]*refToken{}, denied: map[string]bool{}}
}

func (r *reference) copy() *reference {
	c := &reference{at: r.at, certs: map[string]*refCert{}, lineages: map[int]*refLineage{}, tokens: map[string]*refToken{}, denied: maps.Clone(r.denied)}
	for k, v := range r.certs {
		one := *v
		c.certs[k] = &one
	}
	for k, v := range r.lineages {
		one := *v
		c.lineages[k] = &one
	}
	for k, v := range r.tokens {
		c.tokens[k] = &refToken{v.Token, v.revoked, maps.Clone(v.by)}
	}
	return c
}

// now is the time in the ledger by a clock: times never decrease there.
func (r *reference) now(clock time.Time) time.Time {
	if clock.Before(r.at) {
		return r.at
	}
	return clock
}

func (r *reference) wrote(clock time.Time) { r.at = r.now(clock) }

// prediction is what a request may get: why it is refused, in any order, or the certificate.
type prediction struct {
	refused []enrollapi.Code // none: it is granted
	or      enrollapi.Code   // by which it may be refused as well, since there is nothing to do; empty: by none
	again   string           // the serial number, if it is one that was issued before
}

func keyID(key crypto.Signer) string {
	sum := ca.KeyHash(&x509.Certificate{PublicKey: key.Public()})
	return hex.EncodeToString(sum[:])
}

func serialOf(c *x509.Certificate) string { return ca.SerialHex(c) }

// newest returns the newest certificate of each lineage with a name.
func (r *reference) newest(name string) (all []*refCert) {
	for _, l := range r.lineages {
		if c := r.certs[l.newest]; c.name == name {
			all = append(all, c)
		}
	}
	return all
}

// isHeld reports whether another key holds a name; that of a certificate which has expired or is
// revoked does as well.
func (r *reference) isHeld(name, key string) bool {
	return slices.ContainsFunc(r.newest(name), func(c *refCert) bool { return c.key != key })
}

func (r *reference) wasNamed(name string) bool {
	for _, c := range r.certs {
		if c.name == name {
			return true
		}
	}
	return false
}

// isKnown reports whether a name can be denied.
func (r *reference) isKnown(name string) bool { return r.wasNamed(name) || r.hasToken(name) }

// isThere reports whether a name has anything that decommissioning ends. A certificate that is alive in
// a lineage that has ended counts, too.
func (r *reference) isThere(name string) bool {
	return len(r.newest(name)) != 0 || r.hasToken(name) || r.denied[name]
}

func (r *reference) hasToken(name string) bool {
	for _, t := range r.tokens {
		if !t.revoked && slices.Contains(t.Names, name) {
			return true
		}
	}
	return false
}

// tokenRefused reports whether a token cannot be made.
func (r *reference) tokenRefused(t ledger.Token) bool {
	return slices.ContainsFunc(t.Names, func(name string) bool {
		return r.denied[name] || !t.Replace && r.isHeld(name, "") || t.Uses > 1 && r.wasNamed(name)
	})
}

// keyRefused reports whether a key gets no certificate, since one of it was revoked.
func (r *reference) keyRefused(key string, now time.Time) bool {
	for _, c := range r.certs {
		if c.key != key || !c.revoked || c.reason == ca.Superseded {
			continue
		}
		goesOn := false // the lineage, with this key
		if l := r.lineages[c.lineage]; l != nil {
			n := r.certs[l.newest]
			goesOn = n.key == key && !n.revoked && !n.notAfter.Before(now)
		}
		if c.reason == ca.KeyCompromise || !goesOn {
			return true
		}
	}
	return false
}

// enroll is what a token gives a key.
func (r *reference) enroll(id, name, key string, clock time.Time) (p prediction) {
	now, t := r.now(clock), r.tokens[id]
	refuse := func(is bool, code enrollapi.Code) {
		if is {
			p.refused = append(p.refused, code)
		}
	}
	refuse(t.revoked, enrollapi.TokenRevoked)
	refuse(r.denied[name], enrollapi.Denied)
	if serial, used := t.by[key]; used {
		c := r.certs[serial]
		refuse(c.revoked, enrollapi.TokenSpent)
		refuse(c.name != name, enrollapi.NameNotAllowed)
		refuse(now.After(c.notAfter), enrollapi.TokenExpired)
		p.again = serial
		return p
	}
	refuse(now.After(t.Expires), enrollapi.TokenExpired)
	refuse(len(t.by) >= t.Uses, enrollapi.TokenSpent)
	refuse(!slices.Contains(t.Names, name), enrollapi.NameNotAllowed)
	refuse(r.keyRefused(key, now), enrollapi.KeyRevoked)
	if t.Uses > 1 {
		refuse(r.wasNamed(name), enrollapi.Held)
	} else if !t.Replace {
		refuse(r.isHeld(name, key), enrollapi.Held)
	}
	return p
}

func (r *reference) enrolled(id, name, key string, leaf *x509.Certificate, clock time.Time) {
	serial := serialOf(leaf)
	r.tokens[id].by[key] = serial
	lineage := 0
	for n, l := range r.lineages {
		switch c := r.certs[l.newest]; {
		case c.name == name && c.key == key:
			lineage = n
		case c.name == name:
			delete(r.lineages, n)
		}
	}
	if lineage == 0 {
		lineage = len(r.certs) + 1
		r.lineages[lineage] = &refLineage{}
	}
	r.add(name, key, lineage, leaf, clock)
}

// add adds a certificate, which is the newest of its lineage then.
func (r *reference) add(name, key string, lineage int, leaf *x509.Certificate, clock time.Time) {
	serial := serialOf(leaf)
	r.wrote(clock)
	r.certs[serial] = &refCert{name: name, serial: serial, key: key, notBefore: leaf.NotBefore, notAfter: leaf.NotAfter, lineage: lineage}
	r.lineages[lineage].newest = serial
}

// renew is what the holder of a certificate gets for a key.
func (r *reference) renew(serial, key string, clock time.Time) (p prediction) {
	now, old := r.now(clock), r.certs[serial]
	refuse := func(is bool, code enrollapi.Code) {
		if is {
			p.refused = append(p.refused, code)
		}
	}
	refuse(r.denied[old.name], enrollapi.Denied)
	refuse(r.keyRefused(key, now), enrollapi.KeyRevoked)
	refuse(old.revoked, enrollapi.Revoked)
	l := r.lineages[old.lineage]
	if l == nil {
		refuse(true, enrollapi.Ended)
		return p
	}
	newest := r.certs[l.newest]
	refuse(newest.revoked, enrollapi.Revoked)
	if newest != old && newest.key != key {
		refuse(true, enrollapi.Clone)
		return p
	}
	if newest != old && !newest.isDue(clock) {
		p.again = newest.serial
		return p
	}
	const grace, most = 7 * dayLong, 2 // see world.terms
	late := newest.notAfter.Before(now)
	refuse(late && (newest.notAfter.Before(now.Add(-grace)) || l.recoveries >= most), enrollapi.BeyondGrace)
	return p
}

func (c *refCert) isDue(now time.Time) bool {
	return !now.Before(c.notBefore.Add(c.notAfter.Sub(c.notBefore) * 2 / 3))
}

func (r *reference) renewed(serial, key string, leaf *x509.Certificate, clock time.Time) {
	old := r.certs[serial]
	l := r.lineages[old.lineage]
	if r.certs[l.newest].notAfter.Before(r.now(clock)) {
		l.recoveries++
	}
	r.add(old.name, key, old.lineage, leaf, clock)
}

// unenroll is what giving a certificate up gets.
func (r *reference) unenroll(serial string) (p prediction) {
	old := r.certs[serial]
	l := r.lineages[old.lineage]
	switch {
	case old.revoked:
		p.refused = []enrollapi.Code{enrollapi.Revoked}
	case l == nil:
		p.refused = []enrollapi.Code{enrollapi.Ended}
	case r.certs[l.newest].key != old.key:
		p.refused = []enrollapi.Code{enrollapi.Clone}
	case r.certs[l.newest].revoked:
		p.or = enrollapi.Revoked
	}
	return p
}

func (r *reference) unenrolled(serial string, clock time.Time) {
	r.wrote(clock)
	old := r.certs[serial]
	r.cease(func(c *refCert) bool { return c.lineage == old.lineage }, clock)
}

// cease revokes those that are valid or can be renewed.
func (r *reference) cease(which func(*refCert) bool, now time.Time) {
	for _, c := range r.certs {
		l := r.lineages[c.lineage]
		if which(c) && !c.revoked && (!now.After(c.notAfter) || l != nil && l.newest == c.serial) {
			c.revoked, c.reason = true, ca.CessationOfOperation
		}
	}
}

func (r *reference) decommission(name string) {
	r.cease(func(c *refCert) bool { return c.name == name }, r.at)
	for n, l := range r.lineages {
		if r.certs[l.newest].name == name {
			delete(r.lineages, n)
		}
	}
	delete(r.denied, name)
	for _, t := range r.tokens {
		t.revoked = t.revoked || slices.Contains(t.Names, name)
	}
}
