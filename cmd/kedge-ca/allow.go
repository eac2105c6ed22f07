package main

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kedge/ca"
)

// allowFlag names lint rules, of warnings, that a certificate may break.
type allowFlag []string

func (f *allowFlag) add(cmd *cobra.Command) {
	cmd.Flags().Var(f, "allow", "lint `RULE` that may be broken, of those that are warnings; see kedge-ca lint")
}

func (f *allowFlag) String() string { return strings.Join(*f, ",") }
func (f *allowFlag) Type() string   { return "rule" }

// Set takes a rule, or several with commas between.
func (f *allowFlag) Set(text string) error {
	rules := strings.Split(text, ",")
	if err := ca.CheckAllowed(rules); err != nil {
		return fmt.Errorf("%w; those that can be allowed are %s", err, strings.Join(ca.Allowable(), ", "))
	}
	*f = append(*f, rules...)
	return nil
}

// foreign lints a root that was made elsewhere. It is there already, so warnings stop nothing:
// they are returned, but for those that are allowed.
func (f allowFlag) foreign(path string, cert *x509.Certificate) (warnings []string, err error) {
	findings := ca.Lint(cert, nil)
	fatal := slices.DeleteFunc(slices.Clone(findings), func(f ca.Finding) bool { return f.Severity != ca.Error })
	for _, finding := range findings {
		if finding.Severity == ca.Warning && !slices.Contains(f, finding.Rule) {
			warnings = append(warnings, fmt.Sprintf("%s: %s (%s)", path, finding.Text, finding.Rule))
		}
	}
	return warnings, ca.Refuse(cert, fatal, nil)
}
