package awsadmin

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"kedge/ca"
)

// Mapping is what a profile of IAM Roles Anywhere makes of certificates.
type Mapping struct {
	Fields   map[string][]string // specifiers by certificate field: "x509Subject": "*"
	Duration time.Duration       // of sessions; 0: not known
}

// DefaultMapping returns that of a profile that was not changed (G, "Certificate attribute mapping").
func DefaultMapping() *Mapping {
	return &Mapping{Fields: map[string][]string{"x509Subject": {"*"}, "x509Issuer": {"*"}, "x509SAN": {"DNS", "URI", "Name/*"}}}
}

// ErrNoProfile is returned for other JSON.
var ErrNoProfile = errors.New("this is not what \"aws rolesanywhere get-profile\" prints")

// ReadMapping reads what "aws rolesanywhere get-profile" prints. A profile without mappings has those
// that are the default.
func ReadMapping(data []byte) (*Mapping, error) {
	var in struct {
		Profile *struct {
			Mappings []struct {
				Field string `json:"certificateField"`
				Rules []struct {
					Specifier string `json:"specifier"`
				} `json:"mappingRules"`
			} `json:"attributeMappings"`
			Seconds int64 `json:"durationSeconds"`
		} `json:"profile"`
	}
	if err := json.Unmarshal(data, &in); err != nil || in.Profile == nil {
		return nil, ErrNoProfile
	}
	m := &Mapping{Fields: map[string][]string{}, Duration: time.Duration(in.Profile.Seconds) * time.Second}
	if in.Profile.Mappings == nil {
		m.Fields = DefaultMapping().Fields
	}
	for _, field := range in.Profile.Mappings {
		for _, rule := range field.Rules {
			m.Fields[field.Field] = append(m.Fields[field.Field], rule.Specifier)
		}
	}
	return m, nil
}

// Maps reports whether certificates can give a tag, such as x509Subject/CN. Case does not count.
func (m *Mapping) Maps(tag string) bool {
	field, attribute, _ := strings.Cut(tag, "/")
	for name, specifiers := range m.Fields {
		if strings.EqualFold(name, field) && slices.ContainsFunc(specifiers, func(s string) bool { return specifies(s, attribute) }) {
			return true
		}
	}
	return false
}

// specifies: "*" is every attribute, and Name, Name/ and Name/* those of a directory name (G, "Certificate
// attribute mapping").
func specifies(specifier, attribute string) bool {
	if strings.EqualFold(specifier, "Name") || strings.EqualFold(specifier, "Name/") {
		specifier = "Name/*"
	}
	if prefix, all := strings.CutSuffix(specifier, "*"); all {
		return len(attribute) > len(prefix) && strings.EqualFold(attribute[:len(prefix)], prefix)
	}
	return strings.EqualFold(specifier, attribute)
}

// String lists what is mapped: "x509Issuer/*, x509SAN/DNS".
func (m *Mapping) String() string {
	var all []string
	for _, field := range slices.Sorted(maps.Keys(m.Fields)) {
		for _, specifier := range m.Fields[field] {
			all = append(all, field+"/"+specifier)
		}
	}
	if len(all) == 0 {
		return "nothing"
	}
	return strings.Join(all, ", ")
}

// tags returns the tags of a certificate that the profile maps.
func (m *Mapping) tags(all []ca.Tag) map[string]string {
	mapped := map[string]string{}
	for _, tag := range all {
		if m.Maps(tag.Key) {
			mapped[tag.Key] = tag.Value
		}
	}
	return mapped
}
