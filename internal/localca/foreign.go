package localca

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"kedge/ca"
)

// Foreign is a CA certificate that was made elsewhere.
type Foreign struct {
	File string              // where it is
	Name string              // that it will have here, or NAME
	Path []*x509.Certificate // it and those above it
}

// Lint lints the certificate. It is there already, so warnings stop nothing: they are returned with what
// cures them, but for those of rules that are allowed.
func (f Foreign) Lint(allowed []string, now time.Time) (warnings []string, err error) {
	findings, err := ca.LintForeign(f.Path[0], f.Path[1:], now)
	for _, finding := range findings {
		if slices.Contains(allowed, finding.Rule) {
			continue
		}
		text := fmt.Sprintf("%s: %s (%s)", f.File, finding.Text, finding.Rule)
		if cure := f.cure(finding.Rule); cure != "" {
			text += "; " + cure
		}
		warnings = append(warnings, text)
	}
	return warnings, err
}

// cure says what helps a certificate that breaks a rule of warnings.
func (f Foreign) cure(rule string) string {
	renewal := fmt.Sprintf(`once it is taken in, "kedge-ca renew --authority %s" makes one`, f.Name)
	switch root := len(f.Path) == 1; {
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
