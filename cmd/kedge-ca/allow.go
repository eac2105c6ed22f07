package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kedge/ca"
)

// allowFlag lists lint rules for warnings that a certificate may break.
type allowFlag []string

func (f *allowFlag) add(cmd *cobra.Command) {
	cmd.Flags().Var(f, "allow", "lint `RULE` that may be broken, of those that are warnings; see kedge-ca lint")
}

func (f *allowFlag) String() string { return strings.Join(*f, ",") }
func (f *allowFlag) Type() string   { return "rule" }

// Set adds a rule, or several separated by commas.
func (f *allowFlag) Set(text string) error {
	rules := strings.Split(text, ",")
	if err := ca.CheckAllowed(rules); err != nil {
		return fmt.Errorf("%w; those that can be allowed are %s", err, strings.Join(ca.Allowable(), ", "))
	}
	*f = append(*f, rules...)
	return nil
}
