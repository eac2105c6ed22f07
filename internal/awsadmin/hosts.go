package awsadmin

import (
	"errors"
	"fmt"
	"strings"

	"kedge/ca"
	"kedge/internal/cadir"
)

// Hosts selects certificates, and so the hosts that get a role. A certificate must have a value of each
// list that is not empty.
//
// Values can be patterns as in profiles of the CA: ** is any run of characters. The * and ? of profiles,
// which stop at dots and slashes, cannot be written in a policy: see [PatternError].
type Hosts struct {
	Names   []string // common names
	URIs    []string // the first URI, such as a SPIFFE ID: others make no tag (G, "Certificate attribute mapping")
	Units   []string // organizational units (OU)
	Issuers []string // common names of the authorities that issue
}

// HostsOf returns the hosts of a role of the configuration; issuers are the common names of its authorities.
func HostsOf(r cadir.RoleSettings, issuers []string) Hosts {
	return Hosts{Names: r.Names, URIs: r.SANURIs, Units: r.Units, Issuers: issuers}
}

// ErrNoHosts is returned for a selection that is empty: with it, each certificate of the trust anchor
// would get the role.
var ErrNoHosts = errors.New("no host is named: each certificate of the CA would get the role")

// EveryHostError reports a value that is empty or has nothing but wildcards. It is an ErrNoHosts, too.
type EveryHostError struct{ Tag, Value string }

func (e *EveryHostError) Error() string {
	return fmt.Sprintf("%q for the tag %s names no host: each certificate of the CA that has one would get the role", e.Value, e.Tag)
}

// Is makes it an ErrNoHosts.
func (e *EveryHostError) Is(target error) bool { return target == ErrNoHosts }

// The names of the tags by which certificates are selected (G, "Certificate attribute mapping").
const (
	tagName   = "x509Subject/CN"
	tagUnit   = "x509Subject/OU"
	tagIssuer = "x509Issuer/CN"
	tagURI    = "x509SAN/URI"
)

// criterion is one of the lists of Hosts.
type criterion struct {
	tag      string
	values   []string // as IAM writes them
	patterns bool     // one of the values has wildcards
}

// criteria returns the lists that are not empty, in the syntax of IAM. What cannot be written so is a
// *PatternError or a *ValueError.
func (h Hosts) criteria() ([]criterion, error) {
	if len(h.Names)+len(h.URIs)+len(h.Units) == 0 {
		return nil, ErrNoHosts
	}
	var all []criterion
	for _, list := range []criterion{{tag: tagName, values: h.Names}, {tag: tagURI, values: h.URIs}, {tag: tagUnit, values: h.Units}, {tag: tagIssuer, values: h.Issuers}} {
		if len(list.values) == 0 {
			continue
		}
		c, err := newCriterion(list.tag, list.values)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func newCriterion(tag string, values []string) (criterion, error) {
	c := criterion{tag: tag}
	seen := map[string]bool{}
	for _, text := range values {
		p := parsePattern(text)
		if err := p.check(tag); err != nil {
			return c, err
		}
		if seen[text] {
			continue
		}
		seen[text] = true
		c.values = append(c.values, p.iam())
		c.patterns = c.patterns || p.hasWildcards()
	}
	return c, nil
}

// ValueError reports a value that no session tag can have: a condition on it is never met.
type ValueError struct {
	Tag, Value string
	Err        error
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("no certificate gives the tag %s of %q: %v", e.Tag, e.Value, e.Err)
}

func (e *ValueError) Unwrap() error { return e.Err }

// check refuses what a policy cannot express, and what no tag can hold.
func (p pattern) check(tag string) error {
	if p.matchesAll() {
		return &EveryHostError{Tag: tag, Value: p.text}
	}
	if err := ca.CheckTagValue(p.literal()); err != nil {
		return &ValueError{Tag: tag, Value: p.text, Err: err}
	}
	if p.narrow {
		return &PatternError{Pattern: p.text, Wide: p.wide(), Also: p.alsoMatched()}
	}
	return nil
}

// String lists the values for people: "web-01, web-02".
func (h Hosts) String() string {
	var all []string
	for _, list := range []struct {
		label  string
		values []string
	}{{"", h.Names}, {"URI ", h.URIs}, {"OU ", h.Units}, {"issued by ", h.Issuers}} {
		for _, value := range list.values {
			all = append(all, list.label+value)
		}
	}
	return strings.Join(all, ", ")
}
