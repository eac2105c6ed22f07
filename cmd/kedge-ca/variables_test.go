package main

import (
	"slices"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestVariable_notKedges: no variable of kedge-ca is one of kedge's, which has KEDGE_CA_BUNDLE for
// its --ca-bundle. A flag --bundle would take that one's value.
func TestVariable_notKedges(t *testing.T) {
	t.Parallel()
	kedges := []string{"KEDGE_CA_BUNDLE"}
	n := 0
	var look func(*cobra.Command)
	look = func(c *cobra.Command) {
		c.Flags().VisitAll(func(flag *pflag.Flag) {
			v := variable(flag.Name)
			if v.Name != "" {
				n++
			}
			if slices.Contains(kedges, v.Name) {
				t.Errorf("%s --%s has the variable %s", c.CommandPath(), flag.Name, v.Name)
			}
		})
		for _, sub := range c.Commands() {
			look(sub)
		}
	}
	look(newRoot(host{}, nil))
	if n < 100 {
		t.Errorf("%d flags with variables", n)
	}
}

// TestVariable_onlyTyped: what a person has to type cannot be set by a variable.
func TestVariable_onlyTyped(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"yes", "allow-revoked-key", "another-ca", "reissue", "take-list", "drop-list", "nothing-missing", "new-place", "crl", "tpm-key-password", "help"} {
		if v := variable(flag); v.Name != "" {
			t.Errorf("--%s has the variable %s", flag, v.Name)
		}
	}
}
