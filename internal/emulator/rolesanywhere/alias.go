package rolesanywhere

import (
	"fmt"
	"strings"

	"kedge/internal/emulator/arn"
)

const (
	maxAlias     = 256
	aliasPrefix  = "alias/" // before the kind, in the resource of an alias ARN
	aliasPattern = `[A-Za-z][A-Za-z0-9_-]*(/[A-Za-z0-9_-]+)*`
)

// checkAlias checks an aliasName by the guide, "resource-aliases", and the model: 1 to 256 letters,
// digits, hyphens and underscores in parts with one slash between them, a letter first, none of AWS's
// own in upper or lower case. An empty one is valid: the resource has none.
func checkAlias(name string) error {
	switch {
	case name == "":
		return nil
	case len(name) > maxAlias || !isWholly(aliasPattern, name):
		return fmt.Errorf("%q is not an alias", shortened(name))
	case strings.HasPrefix(strings.ToLower(name), "aws/"):
		return fmt.Errorf("the alias %q begins with aws/, which is reserved", name)
	}
	return nil
}

// aliases are the members of answers about an alias (model, TrustAnchorDetail and its sisters).
type aliases struct {
	ARN      string `json:"aliasArn,omitzero"`
	Name     string `json:"aliasName,omitzero"`
	Previous string `json:"previousAliasName,omitzero"` // of an update that changed or removed it
}

func (b *Base) aliases(previous string) aliases {
	if b.Alias == "" {
		return aliases{Previous: previous}
	}
	return aliases{b.aliasARN(), b.Alias, previous}
}

// setAlias changes the alias if there is one; an empty one removes it (guide, "resource-aliases").
func (b *Base) setAlias(alias *string) {
	if alias != nil {
		b.Alias = *alias
	}
}

// aliasARN returns the ARN of the resource's alias, arn:…:alias/KIND/NAME.
func (b *Base) aliasARN() string {
	a := b.name
	a.Resource = aliasPrefix + string(b.kind) + "/" + b.Alias
	return a.String()
}

// ParseReference parses the ARN of a resource, or the ARN of its alias, which CreateSession accepts
// as well (guide, "resource-aliases").
func ParseReference(s string, kind Kind) (arn.ARN, error) {
	a, err := arn.Parse(s, Service, string(kind))
	if err == nil {
		return a, nil
	}
	a, aliasErr := arn.Parse(s, Service, aliasPrefix+string(kind))
	if aliasErr != nil {
		return arn.ARN{}, err
	}
	return a, checkAlias(strings.TrimPrefix(a.Resource, aliasPrefix+string(kind)+"/"))
}
