package enrollclient

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"kedge/internal/enrollapi"
	"kedge/internal/hostdir"
	"kedge/signer"
)

const (
	maxChain  = 8  // certificates between leaf and root
	maxBundle = 16 // roots
)

// expected is what an answer must fit before the certificate in it comes into use.
type expected struct {
	server string
	key    crypto.Signer       // of the request
	pin    Pin                 // the root that the host trusts
	known  []*x509.Certificate // roots that came with the pair before
	name   string              // the common name; empty: whatever the server chose
	now    time.Time           // by the host's clock
	date   time.Time           // by the server's; zero: unknown
}

// pair checks an answer and returns what to write of it. The error is an *AnswerError, or that of a key
// that does not sign. Whether AWS takes the certificate is not asked: a renewal needs no AWS.
func (e expected) pair(a *enrollapi.Answer) (*hostdir.Pair, error) {
	p, problem := parseAnswer(a)
	if problem == "" {
		problem = e.checkLeaf(p.Leaf, a)
	}
	var root Pin
	if problem == "" {
		root, problem = e.checkPath(p)
	}
	if problem == "" {
		problem = checkSettings(a.AWS)
	}
	if problem != "" {
		return nil, &AnswerError{Server: e.server, Problem: problem}
	}
	if err := e.signOnce(p.Leaf); err != nil {
		return nil, err
	}
	p.Record = hostdir.Record{
		CAKey: hex.EncodeToString(root[:]), Name: p.Leaf.Subject.CommonName, Profile: a.Profile, Serial: hexSerial(p.Leaf),
		Answered: e.now.UTC().Round(0), Renew: choose(a.Renew, p.Leaf, e.time(p.Leaf), randomly()), AWS: a.AWS,
	}
	return p, nil
}

// hexSerial writes a serial as kedge-ca does.
func hexSerial(c *x509.Certificate) string { return hex.EncodeToString(c.SerialNumber.Bytes()) }

// time is the server's; without it the host's, moved into the validity of the leaf.
func (e expected) time(leaf *x509.Certificate) time.Time {
	if !e.date.IsZero() {
		return e.date
	}
	return nearest(e.now, leaf)
}

func parseAnswer(a *enrollapi.Answer) (p *hostdir.Pair, problem string) {
	p = &hostdir.Pair{}
	leaf, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		return nil, "it has no certificate that can be read"
	}
	p.Leaf = leaf
	if len(a.Chain) > maxChain || len(a.Bundle) > maxBundle || len(a.Bundle) == 0 {
		return nil, fmt.Sprintf("it has %d certificates of CAs and %d roots; at most %d and %d are taken, and one root is needed", len(a.Chain), len(a.Bundle), maxChain, maxBundle)
	}
	if p.Chain, err = parseAll(a.Chain); err == nil {
		p.Bundle, err = parseAll(a.Bundle)
	}
	if err != nil {
		return nil, "a certificate of a CA in it cannot be read"
	}
	return p, ""
}

func parseAll(ders [][]byte) (certs []*x509.Certificate, err error) {
	for _, der := range ders {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		certs = append(certs, c)
	}
	return certs, nil
}

// checkLeaf returns what is wrong with a leaf: it must be for the key that signed the request, and have
// the name that was asked for.
func (e expected) checkLeaf(leaf *x509.Certificate, a *enrollapi.Answer) (problem string) {
	want := e.name
	if want == "" {
		want = a.Name
	}
	switch {
	case !isSameKey(leaf.PublicKey, e.key.Public()):
		return "the certificate is for another key than the one of the request"
	case leaf.Subject.CommonName != want || want == "":
		return fmt.Sprintf("the certificate is for %q, and not for %q", leaf.Subject.CommonName, want)
	case leaf.IsCA:
		return "the certificate is one of a CA"
	}
	return ""
}

func isSameKey(a, b crypto.PublicKey) bool {
	public, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(b)
}

// checkPath checks that the leaf has a path to the key that the host trusts, and returns the key of the
// root in the bundle at which its path ends. The two differ only after a rotation, in which the key that
// the host trusts has certified the new one: the server alone must not choose it.
func (e expected) checkPath(p *hostdir.Pair) (root Pin, problem string) {
	all := slices.Concat(p.Chain, p.Bundle, e.known)
	roots, others := e.pin.split(all)
	options := x509.VerifyOptions{
		Roots: roots, Intermediates: others, CurrentTime: e.time(p.Leaf), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	if _, err := p.Leaf.Verify(options); err != nil {
		return root, "the certificate does not lead to the CA that this host trusts, or is not valid now"
	}
	if options.Roots, _ = e.pin.split(p.Bundle); hasPath(p.Leaf, options) {
		return e.pin, ""
	}
	certified := options
	certified.Roots = roots
	options.Roots = x509.NewCertPool()
	for _, c := range p.Bundle {
		options.Roots.AddCert(c)
	}
	paths, err := p.Leaf.Verify(options)
	if err != nil {
		return root, "the certificate does not lead to a root that came with it"
	}
	for _, path := range paths {
		if next := path[len(path)-1]; isCertified(next, all, certified) {
			return pinOf(next), ""
		}
	}
	return root, "the certificate leads to a root that the CA that this host trusts did not certify"
}

// isCertified reports whether one of the certificates links a path to the name and the key of a root.
func isCertified(root *x509.Certificate, all []*x509.Certificate, options x509.VerifyOptions) bool {
	return slices.ContainsFunc(all, func(c *x509.Certificate) bool {
		return c.IsCA && pinOf(c) == pinOf(root) && bytes.Equal(c.RawSubject, root.RawSubject) && hasPath(c, options)
	})
}

func hasPath(leaf *x509.Certificate, options x509.VerifyOptions) bool {
	_, err := leaf.Verify(options)
	return err == nil
}

// signOnce signs with the key, and verifies that with the certificate, as its use will.
func (e expected) signOnce(leaf *x509.Certificate) error {
	p := signer.Possession{Path: "/", Leaf: leaf, At: e.now}
	signature, err := p.Sign(e.key)
	if err != nil {
		return err
	}
	return p.Verify(signature)
}
