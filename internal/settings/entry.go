package settings

import (
	"go.yaml.in/yaml/v3"

	"kedge/internal/yamlfile"
)

// entry is a key of a mapping with its value, which is not null.
type entry struct {
	key   string
	line  int
	value *yaml.Node
}

// entries returns those of a mapping. It is false for what is none.
func entries(n *yaml.Node) (all []entry, ok bool, err error) {
	if n.Kind != yaml.MappingNode {
		return nil, false, checkValue("the file", n.Line, n)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || special(key) || key.ShortTag() == "!!merge" || yamlfile.IsNull(key) {
			return nil, false, yamlfile.Wrong(key.Line, "is not a key with a value, as in role-arn: arn:...")
		}
		if err := checkValue(key.Value, key.Line, value); err != nil {
			return nil, false, err
		}
		all = append(all, entry{key.Value, key.Line, value})
	}
	return all, true, nil
}

// checkValue refuses no value, and what makes a value of something else.
func checkValue(name string, line int, value *yaml.Node) error {
	switch {
	case special(value):
		return yamlfile.Wrong(value.Line, "anchors, aliases and tags cannot be used here: a text that begins with &, * or ! needs quotes")
	case yamlfile.IsNull(value):
		return yamlfile.Wrong(line, "%s has no value", name)
	}
	return nil
}

// special reports whether the node is an alias or has an anchor or a tag.
func special(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0
}
