package ca

import (
	"crypto/x509/pkix"
	"fmt"
	"strings"
	"unicode/utf8"
)

// placeholder stands for the requested name in a subject template.
const placeholder = "{name}"

// subjectPart is an attribute of a subject template.
type subjectPart struct {
	key, text string
	limit     int // in characters
}

// parts lists the attributes that are set, with their keys in a configuration.
func (c SubjectConfig) parts() []subjectPart {
	all := []subjectPart{
		{"common_name", c.CommonName, maxCommonName},
		{"organization", c.Organization, attributeLimit("O")},
		{"organizational_unit", c.OrganizationalUnit, attributeLimit("OU")},
		{"country", c.Country, attributeLimit("C")},
		{"locality", c.Locality, attributeLimit("L")},
		{"province", c.Province, attributeLimit("ST")},
	}
	some := all[:0]
	for _, part := range all {
		if part.text != "" {
			some = append(some, part)
		}
	}
	return some
}

func (p *Profile) setSubject(c ProfileConfig) error {
	p.subject = c.Subject
	if p.subject.CommonName == "" {
		p.subject.CommonName = placeholder
	}
	for _, part := range p.subject.parts() {
		if err := part.check(); err != nil {
			return fmt.Errorf("subject.%s: %w", part.key, err)
		}
	}
	return nil
}

// check checks the fixed text of a template against the rules for every certificate.
func (s subjectPart) check() error {
	text := strings.ReplaceAll(s.text, placeholder, "")
	switch n := utf8.RuneCountInString(text); {
	case s.key == "country" && !isCountry(s.text):
		return fmt.Errorf("%q is not two capital letters", s.text)
	case strings.ContainsAny(text, "{}"):
		return fmt.Errorf("%q has another placeholder than %s", s.text, placeholder)
	case strings.TrimSpace(s.text) == "":
		return fmt.Errorf("%q is blank", s.text)
	case n > s.limit || n == s.limit && text != s.text:
		return fmt.Errorf("%q is too long; %d characters are allowed, with the name", s.text, s.limit)
	}
	if r, ok := untaggable(text); ok {
		return fmt.Errorf("%q holds %q, which session tags cannot hold", s.text, r)
	}
	return nil
}

func isCountry(text string) bool {
	return len(text) == 2 && 'A' <= text[0] && text[0] <= 'Z' && 'A' <= text[1] && text[1] <= 'Z'
}

// name fills in the template. Lint rules check the length of the result.
func (c SubjectConfig) name(name string) pkix.Name {
	fill := func(text string) []string {
		if text == "" {
			return nil
		}
		return []string{strings.ReplaceAll(text, placeholder, name)}
	}
	return pkix.Name{
		Country:            fill(c.Country),
		Organization:       fill(c.Organization),
		OrganizationalUnit: fill(c.OrganizationalUnit),
		Locality:           fill(c.Locality),
		Province:           fill(c.Province),
		CommonName:         strings.ReplaceAll(c.CommonName, placeholder, name),
	}
}

// CommonName returns the common name of a certificate for a requested name.
func (p *Profile) CommonName(name string) string { return p.subject.name(name).CommonName }

// NameOf returns the name for which CommonName returns a common name; that itself if there is none.
func (p *Profile) NameOf(commonName string) string { return p.subject.nameIn(commonName) }

// nameIn returns the name from which a common name was made, or the common name if it does not
// match this template.
func (c SubjectConfig) nameIn(commonName string) string {
	before, after, ok := strings.Cut(c.CommonName, placeholder)
	name, found := strings.CutPrefix(commonName, before)
	if !ok || !found || !strings.HasSuffix(name, after) {
		return commonName
	}
	return strings.TrimSuffix(name, after)
}
