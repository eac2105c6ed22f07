package config

import (
	"os"
	"slices"
	"strings"
)

// Environment are variables, NAME=VALUE each.
type Environment []string

// ProcessEnvironment is that of this process.
func ProcessEnvironment() Environment { return os.Environ() }

// Lookup returns the value of a variable, and whether it is set.
func (e Environment) Lookup(name string) (value string, ok bool) {
	for _, v := range e {
		if n, value, _ := strings.Cut(v, "="); sameVariable(n, name) {
			return value, true
		}
	}
	return "", false
}

// Variable returns what stands in place of a flag; nothing is like no variable.
func (e Environment) Variable(flag string) string {
	value, _ := e.Lookup(VariableOf(flag))
	return value
}

// HasVariables reports whether any variable of a flag is set: most hosts have none, and to look up
// that of each flag takes 0.1 ms.
func (e Environment) HasVariables() bool {
	return slices.ContainsFunc(e, func(v string) bool { return strings.HasPrefix(v, "KEDGE_") })
}
