package main

import (
	"kedge/internal/cli"
	"kedge/internal/config"
)

// variable returns the environment variable of a flag: KEDGE_CA_DIR for --dir.
func variable(flag string) cli.Variable {
	if onlyTyped(flag) {
		return cli.Variable{}
	}
	flag = "ca-" + flag
	return cli.Variable{Name: config.VariableOf(flag), Value: config.Variable(flag)}
}

// onlyTyped reports whether a flag has no variable: because its value is a secret, because it is
// the user's consent to one step, which an environment cannot give in advance, or because it has
// different meanings in different commands.
func onlyTyped(flag string) bool {
	switch flag {
	case "help", "version", "tpm-key-password":
		return true
	case "crl": // a file for init and ledger import, an ARN for crl
		return true
	case "yes", "allow-revoked-key", "another-ca", "reissue", "take-list", "drop-list", "nothing-missing", "new-place":
		return true
	}
	return false
}
