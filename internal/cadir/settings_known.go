package cadir

import (
	"cmp"
	"reflect"
	"strings"
)

// knownKeys returns the keys of a group within the type of a configuration. The group has the name of its Go
// type, as in errors of the YAML library; no keys are returned if there is no such type.
func knownKeys(t reflect.Type, name string) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return knownKeys(t.Elem(), name)
	case reflect.Struct:
	default:
		return nil
	}
	if t.String() == name {
		return keysOf(t)
	}
	for f := range t.Fields() {
		if keys := knownKeys(f.Type, name); keys != nil {
			return keys
		}
	}
	return nil
}

// keysOf returns the keys of a struct, and those of structs that are inlined in it.
func keysOf(t reflect.Type) []string {
	var keys []string
	for f := range t.Fields() {
		key, option, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case option == "inline":
			keys = append(keys, keysOf(f.Type)...)
		case f.IsExported() && key != "-":
			keys = append(keys, cmp.Or(key, strings.ToLower(f.Name)))
		}
	}
	return keys
}
