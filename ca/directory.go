package ca

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// directory is a distinguished name, as compared by name constraints (RFC 5280, 4.2.1.10 and 7.1).
type directory struct {
	der  []byte // Name
	text string // RFC 2253
	rdns []rdn
}

// rdn is a relative distinguished name as text of its attributes: exact, whatever the string type,
// and folded, without case and with single spaces.
type rdn struct{ exact, folded string }

// directoryBounds are the constraints on directory names. A CA has them only if another program
// issued its first certificate.
type directoryBounds struct {
	permitted, excluded []directory
	critical            bool
}

func (b *directoryBounds) empty() bool { return len(b.permitted)+len(b.excluded) == 0 }

func parseDirectory(der []byte) (directory, error) {
	var sequence pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &sequence); err != nil || len(rest) > 0 {
		return directory{}, errors.New("a directory name cannot be read")
	}
	d := directory{der: der, text: sequence.String()}
	for _, set := range sequence {
		var exact, folded []string
		for _, attribute := range set {
			value := fmt.Sprint(attribute.Value)
			exact = append(exact, attribute.Type.String()+"="+value)
			folded = append(folded, attribute.Type.String()+"="+strings.ToLower(strings.Join(strings.Fields(value), " ")))
		}
		slices.Sort(exact)
		slices.Sort(folded)
		d.rdns = append(d.rdns, rdn{strings.Join(exact, "\x00"), strings.Join(folded, "\x00")})
	}
	return d, nil
}

// covers reports whether a name is at or below d: in the narrowest reading, exactly as written, and
// in the widest. As with other constraints, a name must be permitted by the narrow one and not
// excluded by the wide one.
func (d directory) covers(name directory) (narrow, wide bool) {
	if len(d.rdns) > len(name.rdns) {
		return false, false
	}
	narrow, wide = true, true
	for i, own := range d.rdns {
		narrow = narrow && own.exact == name.rdns[i].exact
		wide = wide && own.folded == name.rdns[i].folded
	}
	return narrow, wide
}

// checkDirectories checks names against the constraints of every CA of a path, as checkConstraints
// does for the other kinds.
func checkDirectories(path []*x509.Certificate, names []directory) error {
	for _, c := range path {
		all, err := constraintsOf(c)
		if err != nil || all.directories.empty() { // a parse error is a finding about c
			continue
		}
		b := all.directories
		for _, name := range names {
			for _, e := range b.excluded {
				if _, wide := e.covers(name); wide {
					return fmt.Errorf("the directory name %q is excluded by the name constraint %q of %q", name.text, e.text, c.Subject)
				}
			}
			if len(b.permitted) > 0 && !slices.ContainsFunc(b.permitted, func(p directory) bool { narrow, _ := p.covers(name); return narrow }) {
				return fmt.Errorf("the directory name %q is not permitted by the name constraints of %q: %s", name.text, c.Subject, directoryTexts(b.permitted))
			}
		}
	}
	return nil
}

func directoryTexts(names []directory) string {
	var texts []string
	for _, d := range names {
		texts = append(texts, fmt.Sprintf("%q", d.text))
	}
	return strings.Join(texts, ", ")
}

// directoriesOf lists the directory names of a certificate to which constraints apply: the subject,
// unless it is empty, and alternative names (RFC 5280, 4.2.1.10).
func directoriesOf(c *x509.Certificate) []directory {
	var names []directory
	add := func(der []byte) {
		if d, err := parseDirectory(der); err == nil && len(d.rdns) > 0 {
			names = append(names, d)
		}
	}
	add(c.RawSubject)
	for _, extension := range c.Extensions {
		var general []asn1.RawValue
		if !extension.Id.Equal(oidSubjectAltName) {
			continue
		}
		if _, err := asn1.Unmarshal(extension.Value, &general); err != nil {
			return names
		}
		for _, name := range general {
			if name.Class == asn1.ClassContextSpecific && name.Tag == tagDirectory {
				add(name.Bytes)
			}
		}
	}
	return names
}
