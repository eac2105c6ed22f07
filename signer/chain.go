package signer

import (
	"bytes"
	"slices"
	"time"
)

// pathFinder searches the certificates that were given for a path from the leaf to the trust
// anchor. The service alone has the certificate of that CA.
//
// A root is an issuer that signed itself. It ends the path and is not part of it: the service has
// its own copy, and counts what is sent.
type pathFinder struct {
	issuers *issuerFinder
	leaf    located
	now     time.Time
	best    candidate
	broken  []located // the first path with a defect: where all have one, an error names it
}

// candidate is a path that the service would take if its trust anchor is at the end of it. The zero
// candidate is none.
type candidate struct {
	found bool
	path  []located
	roots int       // how many given roots issued the leaf or a certificate of the path
	until time.Time // when the first certificate of the path expires; zero if there is none
}

func newPathFinder(leaf located, given []located, now time.Time) *pathFinder {
	return &pathFinder{issuers: newIssuerFinder(given), leaf: leaf, now: now}
}

// path returns the path to send. If none can be used, it returns one for checkChain to refuse.
func (f *pathFinder) path() []located {
	f.best = f.search(f.leaf, nil)
	if f.best.found {
		return f.best.path
	}
	return f.broken
}

// search returns the best of the paths that begin with path, whose last certificate is child, or
// the leaf. It is a depth-first search over all of them; the limits on signatures and on the
// length of a path bound it.
//
// A path ends where no further issuer was given, or at a root. Where another CA has certified the
// root as well, the path goes on with that certificate if it can: either CA may be the trust anchor,
// and the longer path serves both.
func (f *pathFinder) search(child located, path []located) candidate {
	var best candidate
	isEnd, atRoot, reachesRoot := true, false, false
	for _, issuer := range f.issuers.named(child, f.now) {
		if f.onPath(issuer, path) || !f.issuers.signed(child, issuer) {
			continue
		}
		isRoot := f.issuers.isRoot(issuer)
		if f.issuers.exhausted {
			break // with what was found so far
		}
		if isRoot {
			atRoot = true // even one that has expired: the trust anchor may be its successor
			reachesRoot = reachesRoot || checkRoot(issuer, path, f.now) == nil
			continue
		}
		isEnd = false
		longer := append(slices.Clip(path), issuer)
		if checkIssuer(f.leaf, longer, f.now) != nil {
			f.noteBroken(longer)
		} else if c := f.search(issuer, longer); c.betterThan(best) {
			best = c
		}
	}
	if !best.found && (isEnd || atRoot) {
		best = candidate{found: true, path: path, until: firstExpiry(path)}
	}
	if best.found && reachesRoot {
		best.roots++
	}
	return best
}

// betterThan reports whether c is to be preferred: it reaches more of the given roots, or as many
// and is valid longer. Of equal ones the first is kept, whose key identifiers fit best.
func (c candidate) betterThan(other candidate) bool {
	switch {
	case !c.found || !other.found:
		return c.found
	case c.roots != other.roots:
		return c.roots > other.roots
	}
	return c.until.After(other.until)
}

func (f *pathFinder) noteBroken(path []located) {
	if f.broken == nil {
		f.broken = path
	}
}

// onPath reports whether the CA is on the path already, with this certificate or another for the
// same name and key: the way through it would be a detour.
func (f *pathFinder) onPath(issuer located, path []located) bool {
	return slices.ContainsFunc(path, func(p located) bool {
		return bytes.Equal(p.RawSubjectPublicKeyInfo, issuer.RawSubjectPublicKeyInfo) && f.issuers.key(p.RawSubject) == f.issuers.key(issuer.RawSubject)
	})
}

func firstExpiry(path []located) time.Time {
	var first time.Time
	for i, c := range path {
		if i == 0 || c.NotAfter.Before(first) {
			first = c.NotAfter
		}
	}
	return first
}
