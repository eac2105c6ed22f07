package issuance_test

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// reference is what the ledger should hold, in maps: the rules of ca/ledger written a second time,
// without SQL, transactions and locks. It shares no code with the ledger but the names of states.
type reference struct {
	head        int64
	at          time.Time // of the last entry
	certs       map[int64]*refCert
	prints      map[string]int64 // fingerprint -> seq
	lineages    map[int64]refLineage
	authorities map[string]refAuthority
	lists       map[string]map[int64]bool       // numbers of lists, by the key of the authority
	complete    map[string]int64                // number of the last list that is no delta, by that key
	serials     map[string]map[string]ca.Reason // revoked without a certificate, by that key
	clones      map[string]bool                 // that have an entry
	published   map[string]map[string]ca.Reason // what the last list holds, by that key
	numbers     map[string]int64                // of that list
}

type refCert struct {
	seq                 int64
	kind, name          string
	key, issuer, serial string
	notBefore, notAfter time.Time
	revoked             bool
	reason              ca.Reason
	lineage             int64
	replacedBy          int64 // seq of the last one that renews it; 0: none
	archived            bool
}

type refLineage struct {
	name   string
	newest int64
}

type refAuthority struct {
	name, parent, state string
	issuing             bool
	cert                int64 // seq
	seq                 int64 // of the entry that last changed it
}

func newReference() *reference {
	return &reference{certs: map[int64]*refCert{}, prints: map[string]int64{}, lineages: map[int64]refLineage{}, authorities: map[string]refAuthority{},
		lists: map[string]map[int64]bool{}, complete: map[string]int64{}, serials: map[string]map[string]ca.Reason{}, clones: map[string]bool{},
		published: map[string]map[string]ca.Reason{}, numbers: map[string]int64{}}
}

// copy is a snapshot, as a backup is. What was published is no part of a ledger.
func (r *reference) copy() *reference {
	c := *r
	c.certs = map[int64]*refCert{}
	for seq, cert := range r.certs {
		one := *cert
		c.certs[seq] = &one
	}
	c.prints, c.lineages, c.authorities, c.clones = maps.Clone(r.prints), maps.Clone(r.lineages), maps.Clone(r.authorities), maps.Clone(r.clones)
	c.complete = maps.Clone(r.complete)
	c.lists, c.serials = map[string]map[int64]bool{}, map[string]map[string]ca.Reason{}
	for key, numbers := range r.lists {
		c.lists[key] = maps.Clone(numbers)
	}
	for key, serials := range r.serials {
		c.serials[key] = maps.Clone(serials)
	}
	return &c
}

// now is the time of a transaction by a clock.
func (r *reference) now(clock time.Time) time.Time {
	if clock.Before(r.at) {
		return r.at
	}
	return clock
}

// path is an authority and those above it.
func (r *reference) path(name string) (path []refAuthority) {
	for a, ok := r.authorities[name]; ok; a, ok = r.authorities[a.parent] {
		path = append(path, a)
	}
	return path
}

func (r *reference) issuing() string {
	for name, a := range r.authorities {
		if a.issuing {
			return name
		}
	}
	return ""
}

// withKey returns the name of the authority that has a key.
func (r *reference) withKey(key string) string {
	for name, a := range r.authorities {
		if r.certs[a.cert].key == key {
			return name
		}
	}
	return ""
}

// standing returns why an authority must not issue; any of the reasons may be given.
func (r *reference) standing(name string) (why []string) {
	for _, a := range r.path(name) {
		if a.state == ledger.Retired {
			why = append(why, "retired")
		}
		if r.certs[a.cert].revoked {
			why = append(why, "revoked issuer")
		}
	}
	return why
}

func (c *refCert) validAt(t time.Time) bool { return !t.Before(c.notBefore) && !t.After(c.notAfter) }

// recordable is standing, with the validity of the certificates at the time of the transaction too.
func (r *reference) recordable(name string, clock time.Time) []string {
	return append(r.standing(name), r.invalid(name, r.now(clock))...)
}

// usable is recordable, with their validity by the caller's clock too: what prepares a certificate
// looks at that.
func (r *reference) usable(name string, clock time.Time) []string {
	return append(r.recordable(name, clock), r.invalid(name, clock)...)
}

func (r *reference) invalid(name string, at time.Time) (why []string) {
	for _, a := range r.path(name) {
		if !r.certs[a.cert].validAt(at) {
			why = append(why, "validity")
		}
	}
	return why
}

// keyRules returns why a key must not be certified.
func (r *reference) keyRules(key string, allowed bool, now time.Time) string {
	refused := ""
	for _, c := range r.certs {
		if c.key != key || !c.revoked || c.reason == ca.Superseded {
			continue
		}
		if c.reason == ca.KeyCompromise || c.reason == ca.CACompromise {
			return "revoked key"
		}
		l, goesOn := r.lineages[c.lineage]
		if goesOn {
			n := r.certs[l.newest]
			goesOn = n.key == key && !n.revoked && !now.After(n.notAfter)
		}
		if !goesOn && !allowed {
			refused = "revoked key"
		}
	}
	return refused
}

// once returns the valid newest certificate of a name that has a key.
func (r *reference) once(name, key, issuer string, now time.Time) *refCert {
	for _, l := range r.lineages {
		n := r.certs[l.newest]
		if l.name == name && n.key == key && n.issuer == issuer && !n.revoked && !now.After(n.notAfter) {
			return n
		}
	}
	return nil
}

// replace returns why a certificate is not replaced for a key, and the newest of its lineage.
func (r *reference) replace(presented *refCert, key string) (why string, newest *refCert) {
	if presented.revoked {
		return "revoked", nil
	}
	l, ok := r.lineages[presented.lineage]
	if !ok {
		return "ended", nil
	}
	newest = r.certs[l.newest]
	switch {
	case newest.revoked:
		return "revoked", nil
	case newest == presented:
		return "", newest
	case newest.key == key:
		return "answered", newest
	}
	return "clone", newest
}

// newestFor is the fingerprint of another certificate, the newest of the lineage of one that is
// presented, if a key has it; empty: it has not.
func (r *reference) newestFor(presented, key string) string {
	seq, ok := r.prints[presented]
	if !ok || r.certs[seq] == nil {
		return ""
	}
	l, ok := r.lineages[r.certs[seq].lineage]
	if !ok || l.newest == seq || r.certs[l.newest].key != key {
		return ""
	}
	for fingerprint, other := range r.prints {
		if other == l.newest {
			return fingerprint
		}
	}
	return ""
}

// addLeaf is what a leaf changes. replaces is nil for one that replaces none.
func (r *reference) addLeaf(c *refCert, replaces *refCert) {
	r.certs[c.seq] = c
	if replaces != nil {
		c.lineage, replaces.replacedBy = replaces.lineage, c.seq
		r.lineages[c.lineage] = refLineage{c.name, c.seq}
		return
	}
	c.lineage = r.lineageOf(c)
	for id, l := range r.lineages {
		if l.name == c.name && id != c.lineage {
			delete(r.lineages, id)
		}
	}
	r.lineages[c.lineage] = refLineage{c.name, c.seq}
}

// lineageOf is the lineage of a name and a key, or a new one.
func (r *reference) lineageOf(c *refCert) int64 {
	last := int64(0)
	for id, l := range r.lineages {
		if l.name == c.name && r.certs[l.newest].key == c.key {
			last = max(last, id)
		}
	}
	return cmp.Or(last, c.seq)
}

// set changes an authority by the entry seq.
func (r *reference) set(a refAuthority, seq int64) {
	if a.issuing {
		for name, b := range r.authorities {
			if b.issuing && name != a.name {
				b.issuing, b.seq = false, seq
				r.authorities[name] = b
			}
		}
	}
	a.seq = seq
	r.authorities[a.name] = a
}

// list is what the list of a key holds at a time.
func (r *reference) list(key string, now time.Time) map[string]ca.Reason {
	list := maps.Clone(r.serials[key])
	if list == nil {
		list = map[string]ca.Reason{}
	}
	for _, c := range r.certs {
		if c.issuer == key && c.revoked && !now.After(c.notAfter) {
			list[c.serial] = max(c.reason, list[c.serial])
		}
	}
	return list
}

// missing is what the ledger lacks of the published list of a key.
func (r *reference) missing(key string, now time.Time) map[string]ca.Reason {
	missing := map[string]ca.Reason{}
	if r.lists[key][r.numbers[key]] { // what it lacks by now was released since
		return missing
	}
	for serial, reason := range r.published[key] {
		have, known := r.serials[key][serial]
		c := r.bySerial(key, serial)
		if c != nil && c.revoked {
			have, known = c.reason, true
		}
		if known && (have != ca.CertificateHold || reason == ca.CertificateHold) {
			continue
		}
		if c == nil || !now.After(c.notAfter) {
			missing[serial] = reason
		}
	}
	return missing
}

func (r *reference) bySerial(issuer, serial string) *refCert {
	for _, c := range r.certs {
		if c.issuer == issuer && c.serial == serial {
			return c
		}
	}
	return nil
}

func (r *reference) lastNumber(key string) (last int64) {
	for n := range r.lists[key] {
		last = max(last, n)
	}
	return last
}

// number takes a number for a list.
func (r *reference) number(key string, n int64, delta bool) {
	if r.lists[key] == nil {
		r.lists[key] = map[int64]bool{}
	}
	r.lists[key][n] = true
	if !delta {
		r.complete[key] = max(n, r.complete[key])
	}
}

// base is what a delta of a key is one to: the last complete list, when that is the one that was
// published.
func (r *reference) base(key string) (list map[string]ca.Reason, here bool) {
	n := r.complete[key]
	return r.published[key], n != 0 && r.numbers[key] == n && r.published[key] != nil
}

// roots are those in use, by number, and rotation is where the CA stands between them.
func (r *reference) rotation() (old, next string, switched bool) {
	roots := map[int]string{}
	for name, a := range r.authorities {
		if a.parent == "" && a.state != ledger.Retired {
			roots[numberOf(name)] = name
		}
	}
	numbers := slices.Sorted(maps.Keys(roots))
	old = roots[numbers[0]]
	if len(numbers) == 1 {
		return old, "", false
	}
	next = roots[numbers[1]]
	path := r.path(r.issuing())
	return old, next, len(path) > 0 && path[len(path)-1].name == next
}

func (r *reference) rootOf(name string) string {
	path := r.path(name)
	return path[len(path)-1].name
}

// below are the names of the authorities of a root, itself too.
func (r *reference) below(root string) (names []string) {
	for name := range r.authorities {
		if r.rootOf(name) == root {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// lastFinished is the root that the last finish retired, when old stays.
func (r *reference) lastFinished(old string) (root string) {
	for name, a := range r.authorities {
		if a.parent == "" && a.state == ledger.Retired && numberOf(name) < numberOf(old) && (root == "" || r.authorities[root].seq < a.seq) {
			root = name
		}
	}
	return root
}

// retiredWith is a root, first, with those below it that were retired in the entries just before.
func (r *reference) retiredWith(root string) (all []refAuthority) {
	for _, name := range r.below(root) {
		all = append(all, r.authorities[name])
	}
	slices.SortFunc(all, func(a, b refAuthority) int { return int(b.seq - a.seq) })
	var together []refAuthority
	for _, a := range all {
		if a.state == ledger.Retired && a.seq == r.authorities[root].seq-int64(len(together)) {
			together = append(together, a)
		}
	}
	return together
}

func (r *reference) lastRetired() (last int) {
	for name, a := range r.authorities {
		if a.parent == "" && a.state == ledger.Retired {
			last = max(last, numberOf(name))
		}
	}
	return last
}

// numberOf is the number of a root: 1 for ca, 2 for ca-2.
func numberOf(root string) int {
	if root == "ca" {
		return 1
	}
	n := 0
	for _, digit := range root[len("ca-"):] {
		n = 10*n + int(digit-'0')
	}
	return n
}
