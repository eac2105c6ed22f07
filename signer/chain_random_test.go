package signer

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"kedge/internal/testenv"
)

// Random PKIs, each searched by pathFinder and by a reference that enumerates every simple path.
// Whether there is a path to a given root, openssl decides for each of the reference's paths; which
// path is preferred, the reference decides itself.
//
// KEDGE_TEST_PKIS is how many ("make paths"); KEDGE_TEST_SEED runs one again, as a failure shows.
func TestPathFinder_random(t *testing.T) {
	t.Parallel()
	n := int(testenv.Number(t, "KEDGE_TEST_PKIS"))
	if n == 0 {
		n = 60 / testenv.Slowdown
	}
	keys := newKeys(t, 10)
	if seed := testenv.Number(t, "KEDGE_TEST_SEED"); seed != 0 {
		comparePaths(t, newPKI(t, seed, keys))
		return
	}
	for range n {
		seed := rand.Uint64()
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			comparePaths(t, newPKI(t, seed, keys))
		})
	}
}

func comparePaths(t *testing.T, p *pki) {
	f := newPathFinder(located{Certificate: p.leaf.Certificate}, p.pool(), noon)
	path := f.path()
	if f.issuers.exhausted {
		t.Fatalf("%d certificates need more than %d signatures: the generator is for less", len(p.given), maxSignatures)
	}
	all := p.paths()
	want, hasBest := p.preferred(all)
	if f.best.found != hasBest || hasBest && (f.best.roots != want.roots || !f.best.until.Equal(want.until)) {
		t.Errorf("found %t, %d roots, until %s: %s\nthe reference has %t, %d roots, until %s: %s\n%s",
			f.best.found, f.best.roots, f.best.until, p.text(path), hasBest, want.roots, want.until, p.text(locate(want.path)), p)
	}
	o := openssl{t: t, dir: t.TempDir(), leaf: p.leaf.Certificate}
	reaches := slices.ContainsFunc(all, func(r refPath) bool { return r.root != nil && o.accepts(locate(r.path), r.root) })
	if got := f.best.found && f.best.roots > 0; got != reaches {
		t.Fatalf("reaches a root: %t, openssl: %t; path %s\n%s", got, reaches, p.text(path), p)
	}
	roots := p.roots()
	if reaches && !slices.ContainsFunc(roots, func(r *node) bool { return o.accepts(path, r) }) {
		t.Errorf("openssl refuses the path %s\n%s", p.text(path), p)
	} else if !reaches && len(roots) > 0 && o.accepts(p.pool(), roots...) {
		t.Errorf("openssl finds a path\n%s", p)
	}
}

func locate(certs []*node) []located {
	var path []located
	for _, c := range certs {
		path = append(path, located{Certificate: c.Certificate})
	}
	return path
}

// openssl verifies the leaf as it was at noon.
type openssl struct {
	t    *testing.T
	dir  string
	leaf *x509.Certificate
}

func (o *openssl) accepts(untrusted []located, roots ...*node) bool {
	o.t.Helper()
	args := []string{
		"verify", "-attime", strconv.FormatInt(noon.Unix(), 10), "-verify_depth", strconv.Itoa(maxChain),
		"-no-CApath", "-no-CAstore", "-CAfile", o.write("roots", locate(roots)),
	}
	if len(untrusted) > 0 {
		args = append(args, "-untrusted", o.write("untrusted", untrusted))
	}
	cmd := exec.Command("openssl", append(args, o.write("leaf", []located{{Certificate: o.leaf}}))...)
	out, err := cmd.CombinedOutput()
	if _, refused := err.(*exec.ExitError); err != nil && (!refused || !bytes.Contains(out, []byte("verification failed"))) {
		o.t.Fatalf("%s: %v: %s", cmd, err, out)
	}
	return err == nil
}

func (o *openssl) write(name string, certs []located) string {
	var data []byte
	for _, c := range certs {
		data = append(data, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return writeFile(o.t, filepath.Join(o.dir, name), data)
}

// refPath is a path of the reference: one that ends at a root that was given, or, with root nil, one
// to which nothing can be added.
type refPath struct {
	path   []*node
	root   *node
	usable bool // within the rules, but for signatures
	roots  int
	until  time.Time
}

// paths enumerates the simple paths. It is given which CA issued what.
func (p *pki) paths() []refPath {
	var all []refPath
	var extend func(child *node, path []*node, roots int, usable bool)
	extend = func(child *node, path []*node, roots int, usable bool) {
		var here []*node
		var next []*node
		for _, c := range p.given {
			switch {
			case c.ca != child.issuer || !c.IsCA || certifies(c.ca, path):
			case c.issuer == c.ca:
				here = append(here, c)
			default:
				next = append(next, c)
			}
		}
		fit := func(r *node) bool { return p.fits(r, path) }
		if slices.ContainsFunc(here, fit) {
			roots++
		}
		r := refPath{path: path, usable: usable, roots: roots, until: firstOf(path)}
		for _, root := range here {
			r.root = root
			all = append(all, r)
		}
		if len(next) == 0 && len(here) == 0 {
			all = append(all, r)
		}
		for _, c := range next {
			if len(path) < maxChain {
				extend(c, append(slices.Clip(path), c), roots, usable && p.fits(c, path))
			}
		}
	}
	extend(p.leaf, nil, 0, true)
	return all
}

// fits reports whether c is in time and its path length allows what is below it.
func (p *pki) fits(c *node, below []*node) bool {
	n := 0
	for _, b := range below {
		if p.names[b.ca] != p.names[b.issuer] {
			n++
		}
	}
	limited := c.MaxPathLen > 0 || c.MaxPathLenZero
	return !noon.Before(c.NotBefore) && !noon.After(c.NotAfter) && (!limited || n <= c.MaxPathLen)
}

// preferred returns the best of the usable paths. Those that are the beginning of another do not
// count.
func (p *pki) preferred(all []refPath) (best refPath, found bool) {
	all = slices.DeleteFunc(slices.Clone(all), func(r refPath) bool {
		return !r.usable
	})
	for _, r := range all {
		beginsAnother := slices.ContainsFunc(all, func(o refPath) bool {
			return len(o.path) > len(r.path) && slices.Equal(o.path[:len(r.path)], r.path)
		})
		if beginsAnother {
			continue
		}
		if !found || r.roots > best.roots || r.roots == best.roots && r.until.After(best.until) {
			best, found = r, true
		}
	}
	return best, found
}

func certifies(ca int, path []*node) bool {
	return slices.ContainsFunc(path, func(c *node) bool { return c.ca == ca })
}

func firstOf(path []*node) time.Time {
	var first time.Time
	for _, c := range path {
		if first.IsZero() || c.NotAfter.Before(first) {
			first = c.NotAfter
		}
	}
	return first
}

func (p *pki) text(path []located) string {
	var text string
	for _, c := range path {
		i := slices.IndexFunc(p.given, func(g *node) bool { return g.Equal(c.Certificate) })
		text += fmt.Sprintf(" #%d", i)
	}
	return "leaf" + text
}
