package awscli

import (
	"fmt"
	"path/filepath"
	"strings"

	"kedge/internal/cadir"
	"kedge/internal/report"
)

// CRL is the list of an authority at IAM Roles Anywhere, which takes it for the trust anchor that
// holds the certificate of the authority, and for no other.
type CRL struct {
	authority string
	anchor    cadir.ARN // zero: not known
	arn       cadir.ARN // zero: it was not imported, or its ARN is not known
}

// FindCRL finds the list of an authority, which may be a root, by the ARNs that are kept for the CA.
// A list and a trust anchor in different accounts or regions are an error.
func FindCRL(kept *cadir.AWS, authority string, root bool) (CRL, error) {
	anchor := kept.Anchor(authority)
	if anchor == "" && root {
		anchor = kept.Anchor("")
	}
	c := CRL{authority: authority}
	var err error
	if anchor != "" {
		if c.anchor, err = cadir.ParseARN(anchor, cadir.TrustAnchorARN); err != nil {
			return c, err
		}
	}
	if arn := kept.CRLs[authority]; arn != "" {
		if c.arn, err = cadir.ParseReference(arn, cadir.CRLARN); err != nil {
			return c, err
		}
	}
	if anchor != "" && c.IsImported() && (c.anchor.Account != c.arn.Account || c.anchor.Region != c.arn.Region) {
		return c, fmt.Errorf("the list of %q and its trust anchor are in different accounts or regions: %s and %s", authority, c.arn.Text, c.anchor.Text)
	}
	return c, nil
}

// Anchor returns the trust anchor of the list; the zero ARN: it is not known.
func (c CRL) Anchor() cadir.ARN { return c.anchor }

// ARN returns that of the list; empty: it is not known.
func (c CRL) ARN() string { return c.arn.Text }

// IsImported reports whether the ARN of the list is known, so that it is updated.
func (c CRL) IsImported() bool { return c.arn.Text != "" }

// IsKnown reports whether there is a command line for the list: one that updates it, or imports it
// for a trust anchor.
func (c CRL) IsKnown() bool { return c.IsImported() || c.anchor.Text != "" }

// Command returns the command line that imports the list in a file, which prints its ARN, or
// updates the one that was imported. It is for a list that IsKnown.
func (c CRL) Command(file string) (string, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	if strings.Contains(path, "$") { // os.path.expandvars, with no way to quote it
		return "", fmt.Errorf("the AWS CLI replaces $NAME in the names of files, and there is a $ in %s", path)
	}
	data := " --crl-data " + Quote("fileb://"+path)
	if c.IsImported() {
		return "aws rolesanywhere update-crl --crl-id " + Quote(c.arn.ID) + " --region " + Quote(c.arn.Region) + data, nil
	}
	return "aws rolesanywhere import-crl --enabled --name " + Quote(ResourceName(c.authority)) + " --trust-anchor-arn " + Quote(c.anchor.Text) +
		" --region " + Quote(c.anchor.Region) + data + " --query crl.crlArn --output text", nil
}

// ResourceName makes a name of an authority's object that IAM Roles Anywhere takes: up to 255 letters, digits, spaces, hyphens
// and underscores.
//
// Source: IAM Roles Anywhere API Reference, CreateTrustAnchor and ImportCrl.
func ResourceName(name string) string {
	const most = 255
	cleaned := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" -_", r) {
			return r
		}
		return '-'
	}, name)
	return cleaned[:min(len(cleaned), most)]
}

// Import is a list in a file, to be imported or updated.
type Import struct {
	CRL
	File string
}

// Imports returns the command lines that import or update lists, each with a line feed, and notes on what
// to do next. printed is whether the caller prints the lines: then the notes do not repeat them, and
// warn of each list that has no line since its trust anchor is not known.
func Imports(all []Import, printed bool) (lines string, n report.Notes, err error) {
	for _, i := range all {
		if !i.IsKnown() {
			if printed {
				n.Warn("the list of %q is left out: IAM Roles Anywhere takes it for a trust anchor that holds the certificate of %q, and none is known here; with one: kedge-ca crl --aws-cli --issuer %s --trust-anchor ARN", i.authority, i.authority, i.authority)
			}
			continue
		}
		line, err := i.Command(i.File)
		if err != nil {
			return "", n, err
		}
		lines += line + "\n"
		if !printed {
			n.Next("%s", line)
		}
		if !i.IsImported() {
			n.Next("then keep the ARN that it prints, for updates: kedge-ca crl --aws-cli --issuer %s --crl ARN", i.authority)
		}
	}
	return lines, n, nil
}
