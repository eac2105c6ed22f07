package ca

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// The kinds of GeneralName (RFC 5280, 4.2.1.6) whose name constraints this package supports.
const (
	tagEmail     = 1
	tagDNS       = 2
	tagDirectory = 4
	tagURI       = 6
	tagIP        = 7
)

// subtree is a GeneralSubtree (RFC 5280, 4.2.1.10).
type subtree struct {
	Base    asn1.RawValue
	Minimum int `asn1:"optional,default:0,tag:0"`
	Maximum int `asn1:"optional,default:-1,tag:1"`
}

// subtrees are the name constraints of a certificate.
type subtrees struct {
	Permitted []subtree `asn1:"optional,tag:0"`
	Excluded  []subtree `asn1:"optional,tag:1"`
}

var oidNameConstraints = asn1.ObjectIdentifier{2, 5, 29, 30}

// subtreesOf parses the extension nameConstraints, and reports whether it is critical.
func subtreesOf(c *x509.Certificate) (all subtrees, critical bool, err error) {
	for _, extension := range c.Extensions {
		if !extension.Id.Equal(oidNameConstraints) {
			continue
		}
		if rest, err := asn1.Unmarshal(extension.Value, &all); err != nil || len(rest) > 0 {
			return all, false, errors.New("the name constraints are damaged")
		}
		critical = extension.Critical
	}
	return all, critical, nil
}

// checkKinds returns an error that names a constraint that is not supported here.
func (s *subtrees) checkKinds() error {
	var unknown []string
	for _, t := range slices.Concat(s.Permitted, s.Excluded) {
		if t.Minimum != 0 || t.Maximum != -1 { // RFC 5280, 4.2.1.10: not used
			return errors.New("the name constraints have a minimum or maximum, which verifiers do not support")
		}
		if kind := unknownKind(t.Base.Tag); kind != "" && !slices.Contains(unknown, kind) {
			unknown = append(unknown, kind)
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("the name constraints on %s cannot be held against names; those on DNS names, URIs, email and IP addresses and directory names can", strings.Join(unknown, ", "))
	}
	return nil
}

// unknownKind names a kind of GeneralName whose constraints are not supported, or returns "".
func unknownKind(tag int) string {
	switch tag {
	case tagEmail, tagDNS, tagDirectory, tagURI, tagIP:
		return ""
	case 0:
		return "other names (otherName)"
	case 3:
		return "X.400 addresses"
	case 5:
		return "EDI party names"
	case 8:
		return "registered IDs"
	}
	return fmt.Sprintf("names of the kind [%d]", tag)
}

// directoriesIn returns the bases that are directory names.
func directoriesIn(trees []subtree) ([]directory, error) {
	var names []directory
	for _, t := range trees {
		if t.Base.Tag != tagDirectory {
			continue
		}
		d, err := parseDirectory(t.Base.Bytes)
		if err != nil {
			return nil, fmt.Errorf("of the name constraints, %w", err)
		}
		names = append(names, d)
	}
	return names, nil
}

// extension encodes constraints that crypto/x509 cannot, since there are directory names among
// them.
func (n *NameConstraints) extension() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addSubtrees(b, 0, slices.Concat(
			bases(tagDNS, n.PermittedDNS), bases(tagURI, n.PermittedURI), bases(tagEmail, n.PermittedEmail),
			ranges(n.PermittedIP), directoryBases(n.directories.permitted)))
		addSubtrees(b, 1, slices.Concat(
			bases(tagDNS, n.ExcludedDNS), bases(tagURI, n.ExcludedURI), bases(tagEmail, n.ExcludedEmail),
			ranges(n.ExcludedIP), directoryBases(n.directories.excluded)))
	})
	return b.Bytes()
}

// base is a GeneralName to be encoded.
type base struct {
	tag   cbasn1.Tag
	value []byte
}

func bases(tag uint8, names []string) []base {
	var out []base
	for _, name := range names {
		out = append(out, base{cbasn1.Tag(tag).ContextSpecific(), []byte(name)})
	}
	return out
}

func ranges(prefixes []netip.Prefix) []base {
	var out []base
	for _, n := range ipNets(prefixes) {
		out = append(out, base{cbasn1.Tag(tagIP).ContextSpecific(), slices.Concat([]byte(n.IP), n.Mask)})
	}
	return out
}

func directoryBases(names []directory) []base {
	var out []base
	for _, d := range names {
		out = append(out, base{cbasn1.Tag(tagDirectory).ContextSpecific().Constructed(), d.der})
	}
	return out
}

func addSubtrees(b *cryptobyte.Builder, tag uint8, all []base) {
	if len(all) == 0 {
		return
	}
	b.AddASN1(cbasn1.Tag(tag).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
		for _, one := range all {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(one.tag, func(b *cryptobyte.Builder) { b.AddBytes(one.value) })
			})
		}
	})
}
