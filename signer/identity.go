package signer

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"kedge/signer/keyfile"
)

// Identity is a private key, its leaf certificate and the intermediates to send with it.
// It is valid by construction and immutable; it may be used by several goroutines at once
// if its key may.
type Identity struct {
	key       crypto.Signer
	algorithm Algorithm
	leaf      located
	chain     []located

	reachesRoot bool      // chain ends at a root that was given, or passes one
	given       []located // that chain was chosen from
	made        time.Time // when it was chosen

	unreadable []unreadable // that were given, too
}

// located is a certificate and the name of the input it was read from.
type located struct {
	*x509.Certificate
	file string
}

// NewIdentity finds the leaf that belongs to key among certs, builds the path from it
// towards the trust anchor out of the others, in whatever order they come, leaves the root
// out, and checks everything against the rules of the service and against now.
//
// Certificates that are not on the path are ignored; [Identity.Unused] has the reasons. The error is a *KeyMismatchError, a
// *RuleError or a *ValidityError, or means that the key is of no use for the service.
func NewIdentity(key crypto.Signer, certs []*x509.Certificate, now time.Time) (*Identity, error) {
	pool := make([]located, len(certs))
	for i, c := range certs {
		pool[i] = located{Certificate: c}
	}
	return newIdentity(key, pool, now)
}

func newIdentity(key crypto.Signer, pool []located, now time.Time) (*Identity, error) {
	if key == nil {
		return nil, errors.New("there is no private key")
	}
	algorithm, err := algorithmFor(key.Public())
	if err != nil {
		return nil, err
	}
	if len(pool) == 0 {
		return nil, errors.New("there is no certificate")
	}
	leaf, ok := findLeaf(key.Public(), pool, now)
	if !ok {
		return nil, &KeyMismatchError{CertFile: pool[0].file, Key: KeyKind(key.Public()), Subject: name(pool[0]), CertKey: CertKeyKind(pool[0].Certificate)}
	}
	if err := checkLeaf(leaf); err != nil {
		return nil, err
	}
	finder := newPathFinder(leaf, pool, now)
	id := &Identity{key: key, algorithm: algorithm, leaf: leaf, given: pool, made: now, chain: finder.path()}
	id.reachesRoot = finder.best.roots > 0
	if err := id.checkChain(now); err != nil {
		return nil, err
	}
	return id, nil
}

// findLeaf picks the certificate that belongs to the key. After a renewal with the same key
// there can be several, and a self-signed one from before there was a CA: of those that keep
// the rules, the one that can be used now and lasts longest is meant.
func findLeaf(public crypto.PublicKey, pool []located, now time.Time) (located, bool) {
	var own, proper []located
	for _, c := range pool {
		if !samePublic(public, c.PublicKey) {
			continue
		}
		own = append(own, c)
		if checkLeaf(c) == nil {
			proper = append(proper, c)
		}
	}
	if len(proper) > 0 {
		own = proper
	}
	return best(own, now)
}

// best prefers what is valid at now, then what expires last, then what came first.
func best(certs []located, now time.Time) (located, bool) {
	if len(certs) == 0 {
		return located{}, false
	}
	return slices.MaxFunc(certs, func(a, b located) int {
		if inTime(a, now) != inTime(b, now) {
			if inTime(a, now) {
				return 1
			}
			return -1
		}
		return a.NotAfter.Compare(b.NotAfter)
	}), true
}

func inTime(c located, now time.Time) bool {
	return !now.Before(c.NotBefore) && !now.After(c.NotAfter)
}

// Leaf returns the certificate that the identity proves possession of. It must not be
// changed.
func (id *Identity) Leaf() *x509.Certificate { return id.leaf.Certificate }

// Chain returns the intermediates that are sent along, the issuer of the leaf first,
// without leaf and root. At most five; often none.
func (id *Identity) Chain() []*x509.Certificate {
	chain := make([]*x509.Certificate, len(id.chain))
	for i, c := range id.chain {
		chain[i] = c.Certificate
	}
	return chain
}

// ForeignSignatures returns which of the certificates that are sent are signed with an algorithm that
// IAM Roles Anywhere is not known to take; most often there is none.
func (id *Identity) ForeignSignatures() (words []string) {
	for _, c := range append([]located{id.leaf}, id.chain...) {
		if algorithm := keyfile.SignatureName(c.Certificate); algorithm != "" {
			words = append(words, fmt.Sprintf("%scertificate %q is signed with %s", inFile(c.file), name(c), algorithm))
		}
	}
	return words
}

// Signer returns the private key.
func (id *Identity) Signer() crypto.Signer { return id.key }

// Algorithm returns how the key signs.
func (id *Identity) Algorithm() Algorithm { return id.algorithm }

// Identity makes an identity that never changes a [Source].
func (id *Identity) Identity(context.Context) (*Identity, error) { return id, nil }

// name is how messages call a certificate.
func name(c located) string {
	if subject := c.Subject.String(); subject != "" {
		return subject
	}
	return "serial " + hex.EncodeToString(c.SerialNumber.Bytes()) // as kedge-ca and names of sessions have it
}
