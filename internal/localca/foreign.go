package localca

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"kedge/ca"
)

// Foreign is a CA certificate that was issued elsewhere.
type Foreign struct {
	File string              // the certificate's file
	Name string              // of the authority here, or NAME
	Path []*x509.Certificate // the certificate and those above it
}

// Lint lints the certificate. Since it exists already, warnings are no errors: they are returned
// with their remedies, except for rules that are allowed.
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

// cure returns the remedy for a certificate that breaks a warning rule.
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
