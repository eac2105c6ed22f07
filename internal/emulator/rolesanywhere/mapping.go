package rolesanywhere

import (
	"fmt"
	"slices"
	"strings"

	"kedge/internal/emulator/wire"
)

// The fields of a certificate that a mapping is about (model).
const (
	fieldSubject = "x509Subject"
	fieldIssuer  = "x509Issuer"
	fieldSAN     = "x509SAN"
)

// maxRules bounds the rules of a field, and those of a request. Ours.
const maxRules = 100

// Mapping lists what of a certificate's field becomes session tags (guide, "attribute-mapping").
type Mapping struct {
	Field string        `json:"certificateField"`
	Rules []MappingRule `json:"mappingRules"`
}

// MappingRule names an attribute: its short name or its OID, DNS or URI, or * for all.
type MappingRule struct {
	Specifier string `json:"specifier"`
}

// SetDefaultMappings gives a profile the mappings of a new one (guide, "attribute-mapping"): the
// subject, the issuer, and the first DNS name, URI and directory name of the SAN.
func (p *Profile) SetDefaultMappings() {
	p.Mappings = []Mapping{
		{fieldIssuer, []MappingRule{{"*"}}},
		{fieldSAN, []MappingRule{{"DNS"}, {"URI"}, {"Name/*"}}},
		{fieldSubject, []MappingRule{{"*"}}},
	}
	p.Defaults = []string{fieldIssuer, fieldSAN, fieldSubject}
}

func cloneMappings(all []Mapping) []Mapping {
	result := slices.Clone(all)
	for i := range result {
		result[i].Rules = slices.Clone(result[i].Rules)
	}
	return result
}

// Maps reports whether the profile makes a session tag of what a certificate has, such as
// x509Subject/CN or x509SAN/DNS.
func (p *Profile) Maps(tag string) bool {
	field, attribute, _ := strings.Cut(tag, "/")
	for _, m := range p.Mappings {
		if m.Field == field && slices.ContainsFunc(m.Rules, func(r MappingRule) bool { return r.covers(attribute) }) {
			return true
		}
	}
	return false
}

// covers reports whether the rule is about an attribute, such as CN, DNS or Name/CN.
func (r MappingRule) covers(attribute string) bool {
	if prefix, ok := strings.CutSuffix(r.Specifier, "*"); ok {
		return strings.HasPrefix(attribute, prefix)
	}
	return attribute == r.Specifier
}

// normalSpecifier: Name, Name/ and Name/* are the same, and show as the last (guide,
// "attribute-mapping").
func normalSpecifier(field, specifier string) string {
	if field == fieldSAN && (specifier == "Name" || specifier == "Name/") {
		return "Name/*"
	}
	return specifier
}

// The specifiers of a name, and those of a subject alternative name.
const (
	attributePattern = `(\*|[A-Za-z]+|[0-9]+(\.[0-9]+)+)`
	sanPattern       = `(\*|DNS|URI|Name/` + attributePattern + `)`
)

// checkSpecifier: model; which specifiers a field can have, from those of the guide, is ours.
func checkSpecifier(place, field, specifier string) *wire.Error {
	if refusal := specifierText().check(place, specifier); refusal != nil {
		return refusal
	}
	of := attributePattern
	if field == fieldSAN {
		of = sanPattern
	}
	if !isWholly(of, specifier) {
		return wire.Constraint(place, specifier, "satisfy regular expression pattern: "+of)
	}
	return nil
}

func checkField(field string) *wire.Error {
	if field == "" {
		return missing("certificateField")
	}
	return checkOneOf("certificateField", field, fieldSubject, fieldIssuer, fieldSAN)
}

func putAttributeMapping(s *Store, c *Call) (any, *wire.Error) {
	type rule struct {
		Specifier *string `json:"specifier"`
	}
	in, refusal := decode[struct {
		Field string  `json:"certificateField"`
		Rules *[]rule `json:"mappingRules"`
	}](c)
	if refusal == nil {
		refusal = checkField(in.Field)
	}
	if refusal != nil {
		return nil, refusal
	}
	if in.Rules == nil {
		return nil, missing("mappingRules")
	}
	if refusal := checkCount("mappingRules", len(*in.Rules), maxRules); refusal != nil {
		return nil, refusal
	}
	var rules []MappingRule
	for i, r := range *in.Rules {
		place := fmt.Sprintf("mappingRules.%d.member.specifier", i+1)
		if r.Specifier == nil {
			return nil, missing(place)
		}
		specifier := normalSpecifier(in.Field, *r.Specifier)
		if refusal := checkSpecifier(place, in.Field, specifier); refusal != nil {
			return nil, refusal
		}
		rules = append(rules, MappingRule{specifier})
	}
	return change(s, c, KindProfile, func(p *Profile) *wire.Error {
		p.put(in.Field, rules)
		return checkCount("mappingRules", len(p.rules(in.Field)), maxRules)
	})
}

func (p *Profile) rules(field string) []MappingRule {
	for _, m := range p.Mappings {
		if m.Field == field {
			return m.Rules
		}
	}
	return nil
}

// put attaches rules to a field (guide, "attribute-mapping"). The first ones take the place of the
// default rules, so that CN put on the default * leaves CN alone (field report,
// go-to-k/cdk-real-drift#661).
func (p *Profile) put(field string, rules []MappingRule) {
	kept := p.rules(field)
	if slices.Contains(p.Defaults, field) {
		kept = nil
	}
	for _, r := range rules {
		if !slices.Contains(kept, r) {
			kept = append(kept, r)
		}
	}
	p.setRules(field, kept)
}

// setRules replaces the rules of a field, which are no default any more. A field without rules is not
// mapped, and not listed.
func (p *Profile) setRules(field string, rules []MappingRule) {
	p.Defaults = slices.DeleteFunc(p.Defaults, func(f string) bool { return f == field })
	p.Mappings = slices.DeleteFunc(p.Mappings, func(m Mapping) bool { return m.Field == field })
	if len(rules) > 0 {
		p.Mappings = append(p.Mappings, Mapping{field, rules})
	}
	slices.SortFunc(p.Mappings, func(a, b Mapping) int { return strings.Compare(a.Field, b.Field) })
}

// deleteAttributeMapping: without specifiers, the field is not mapped any more (field report,
// hashicorp/terraform-provider-aws#48211). That a specifier without a rule is no error is ours.
func deleteAttributeMapping(s *Store, c *Call) (any, *wire.Error) {
	field, refusal := c.only("certificateField")
	if refusal != nil {
		return nil, refusal
	}
	if field == nil {
		return nil, missing("certificateField")
	}
	if refusal := checkField(*field); refusal != nil {
		return nil, refusal
	}
	specifiers := c.query("specifiers")
	return change(s, c, KindProfile, func(p *Profile) *wire.Error {
		kept := slices.DeleteFunc(slices.Clone(p.rules(*field)), func(r MappingRule) bool {
			return len(specifiers) == 0 || slices.ContainsFunc(specifiers, func(s string) bool { return normalSpecifier(*field, s) == r.Specifier })
		})
		p.setRules(*field, kept)
		return nil
	})
}
