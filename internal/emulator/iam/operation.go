package iam

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"kedge/internal/emulator/wire"
)

// Version is that of the API (API, "Making Query Requests").
const Version = "2010-05-08"

// operation is one operation of the API.
type operation struct {
	name   string
	input  string // "RoleName* roleNameType, Path pathType", as in the API model; * marks what is required
	target func(*request) target
	run    func(*request) (any, error)
	access access
}

// access is whether an operation changes something, or reads.
type access int

const (
	reads access = iota
	changes
)

// parameter is a member of an operation's input.
type parameter struct {
	name, shape string
	required    bool
}

// parameters parses the input.
func (o operation) parameters() []parameter {
	var all []parameter
	for part := range strings.SplitSeq(o.input, ", ") {
		name, shape, ok := strings.Cut(part, " ")
		if !ok {
			continue
		}
		bare := strings.TrimSuffix(name, "*")
		all = append(all, parameter{bare, shape, bare != name})
	}
	return all
}

// operations returns all operations by their names.
func operations() map[string]operation {
	all := map[string]operation{}
	for _, group := range [][]operation{
		roleOperations(), serviceLinkedOperations(), tagOperations(), inlineOperations(), attachOperations(), boundaryOperations(),
		managedOperations(), versionOperations(), userOperations(), keyOperations(),
	} {
		for _, o := range group {
			all[o.name] = o
		}
	}
	return all
}

// Operations returns the names of the operations, sorted.
func Operations() []string { return slices.Sorted(maps.Keys(operations())) }

// own returns those parameters that the operation has. The others are ignored, as AWS's query services do (ours:
// nobody documents it); none of them may select an entity or become a condition key.
func (o operation) own(all wire.Parameters) wire.Parameters {
	known := map[string]bool{"Action": true}
	for _, p := range o.parameters() {
		known[p.name] = true
	}
	own := maps.Clone(all)
	maps.DeleteFunc(own, func(name, _ string) bool {
		base, _, _ := strings.Cut(name, ".") // of a list, "Tags.member.1.Key"
		return !known[base]
	})
	return own
}

// checkParameters compares the parameters with their constraints, and reads the lists.
func (s *Store) checkParameters(o operation, r *request) error {
	var wrong []violation
	for _, p := range o.parameters() {
		shape := s.shapes[p.shape]
		field := fieldOf(p.name)
		switch shape.kind {
		case tagsShape, keysShape:
			found, err := s.readList(shape, p, r)
			if err != nil {
				return err
			}
			wrong = append(wrong, found...)
			continue
		}
		value, ok := r.call.Parameters[p.name]
		switch {
		case ok:
			wrong = append(wrong, shape.check(field, value)...)
		case p.required:
			wrong = append(wrong, violation{field: field, value: "null", rule: "not be null"})
		}
	}
	if err := asError(wrong); err != nil {
		return err
	}
	return nil
}

// readList reads Tags or TagKeys into the request.
func (s *Store) readList(list shape, p parameter, r *request) ([]violation, error) {
	fields := []string{""}
	if list.kind == tagsShape {
		fields = []string{"Key", "Value"}
	}
	items, refusal := r.call.Parameters.Members(p.name, fields...)
	if refusal != nil {
		return nil, &Error{Status: refusal.Status, Code: refusal.Code, Message: refusal.Message}
	}
	field := fieldOf(p.name)
	if len(items) > list.max {
		return []violation{{field: field, value: "'…'", rule: "have length less than or equal to " + strconv.Itoa(list.max)}}, nil
	}
	if p.required && len(items) == 0 {
		return []violation{{field: field, value: "null", rule: "not be null"}}, nil
	}
	var wrong []violation
	for i, item := range items {
		where := field + "." + strconv.Itoa(i+1) + ".member"
		if list.kind == keysShape {
			wrong = append(wrong, s.shapes["tagKeyType"].check(where, item[""])...)
			r.tagKeys = append(r.tagKeys, item[""])
			continue
		}
		wrong = append(wrong, s.checkTag(where, item)...)
		r.tags = append(r.tags, Tag{item["Key"], item["Value"]})
	}
	return wrong, nil
}

// checkTag: API, Tag: both members are required.
func (s *Store) checkTag(where string, item map[string]string) []violation {
	var wrong []violation
	for _, f := range [][2]string{{"Key", "tagKeyType"}, {"Value", "tagValueType"}} {
		field := where + "." + fieldOf(f[0])
		if value, ok := item[f[0]]; ok {
			wrong = append(wrong, s.shapes[f[1]].check(field, value)...)
		} else {
			wrong = append(wrong, violation{field: field, value: "null", rule: "not be null"})
		}
	}
	return wrong
}

// fieldOf returns the name of a parameter as messages have it: "roleName".
func fieldOf(name string) string { return strings.ToLower(name[:1]) + name[1:] }
