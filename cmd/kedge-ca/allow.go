package main

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

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

// foreignCA is a CA certificate that was made elsewhere.
type foreignCA struct {
	file string              // where it is
	name string              // that it will have here, or NAME
	path []*x509.Certificate // it and those above it
}

// foreignAt lints a CA certificate that was made elsewhere. It is there already, so warnings
// stop nothing: they are returned with what cures them, but for those that are allowed.
func (f allowFlag) foreignAt(c foreignCA, now time.Time) (warnings []string, err error) {
	findings, err := ca.LintForeign(c.path[0], c.path[1:], now)
	for _, finding := range findings {
		if slices.Contains(f, finding.Rule) {
			continue
		}
		text := fmt.Sprintf("%s: %s (%s)", c.file, finding.Text, finding.Rule)
		if cure := c.cure(finding.Rule); cure != "" {
			text += "; " + cure
		}
		warnings = append(warnings, text)
	}
	return warnings, err
}

// cure says what helps a certificate that breaks a rule of warnings.
func (c *foreignCA) cure(rule string) string {
	renewal := fmt.Sprintf(`once it is taken in, "kedge-ca renew --authority %s" makes one`, c.name)
	switch root := len(c.path) == 1; {
	case rule == "key-usage-crl-sign" && root:
		return renewal + " with it, to be registered in its place"
	case rule == "key-usage-crl-sign":
		return "have the CA above sign it again with cRLSign"
	case rule == "in-date":
		return "check the clock; " + renewal + " that is valid from now on, to be registered in its place"
	case rule == "no-authority-below":
		return `to have some, make another root with "kedge-ca rotate start"`
	}
	return ""
}
