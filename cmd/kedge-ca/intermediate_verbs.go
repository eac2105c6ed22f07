package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kedge/internal/atomicfile"
	"kedge/internal/cli"
)

// checkNoVerb refuses a name that is a verb in other programs: a user who types "kedge-ca
// intermediate list" does not want a CA named list. An existing authority, with a certificate,
// keeps its name.
func (o *intermediateOptions) checkNoVerb(cmd *cobra.Command) error {
	name := o.name
	if there, err := atomicfile.Exists(o.store.certPath(name)); err == nil && there {
		return nil
	}
	verb := strings.ToLower(name)
	verbs := []string{"add", "adopt", "create", "delete", "destroy", "finish", "generate", "get", "help", "import", "info", "ls", "make", "new",
		"remove", "rename", "request", "retire", "rm", "start", "switch", "update", "verify", "view"}
	command := cmd.Root().CommandPath()
	for _, c := range commands(host{}, nil) {
		verbs = append(verbs, c.Name())
	}
	if !slices.Contains(verbs, verb) {
		return nil
	}
	usage := &cli.UsageError{Command: cmd.CommandPath(), Err: fmt.Errorf("%q is no name for a CA: it reads like a command", name)}
	usage.Hint = command + " intermediate NAME makes a CA below the root, with files NAME.key and NAME.pem"
	switch verb {
	case "list", "ls", "show", "status", "get", "info", "view":
		usage.Hint += "; " + command + " status shows those that there are"
	case "renew", "rekey", "update":
		usage.Hint += "; " + command + " renew --authority NAME renews one"
	case "revoke", "remove", "rm", "delete", "destroy", "retire":
		usage.Hint += "; " + command + " revoke takes the serial of one"
	}
	return usage
}
