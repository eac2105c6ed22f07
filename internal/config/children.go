package config

import (
	"os"
	"slices"
	"strings"
)

// PKCS11Helper is where kedge-pkcs11 is, as the variable KEDGE_PKCS11_HELPER says; empty: beside
// the program.
func PKCS11Helper() string { return os.Getenv("KEDGE_PKCS11_HELPER") }

// ChildEnvironment is that of this process without the variables in which the references of
// flags find secrets: a child has no use for them.
func ChildEnvironment(references ...string) []string {
	var secrets []string
	for _, reference := range references {
		if in, err := ParseInput(reference); err == nil && in.kind == envInput {
			secrets = append(secrets, in.value)
		}
	}
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(secrets, name)
	})
}
