// Package awscli writes command lines of the AWS CLI that register trust anchors and CRLs at IAM Roles
// Anywhere, for a POSIX shell. It runs none of them.
package awscli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"kedge/internal/cadir"
)

// Anchor is a trust anchor, and what it is to hold.
type Anchor struct {
	ID     string // of the one to update; empty: a new one is created
	Region string // empty: the AWS CLI has one configured
	Name   string // of a new one, as far as AWS takes it
	PEM    []byte // of the certificates
}

// ParseAnchor reads the ARN of a trust anchor, or that of an alias, which is returned without Text, or an
// id alone, which is returned without the rest.
func ParseAnchor(text string) (cadir.ARN, error) {
	if strings.HasPrefix(text, "arn:") {
		a, err := cadir.ParseReference(text, cadir.TrustAnchorARN)
		if a.ID == text { // an alias: it names another anchor tomorrow, and import-crl takes none
			a.Text = ""
		}
		return a, err
	}
	if strings.Trim(strings.ToLower(text), "0123456789abcdef-") != "" {
		return cadir.ARN{}, fmt.Errorf("%q is neither the ARN nor the id of a trust anchor", text)
	}
	return cadir.ARN{ID: text}, nil
}

// At makes the trust anchor the one to update that has an ARN. It reports whether that is in the
// region of the anchor; otherwise nothing changes.
func (a *Anchor) At(arn cadir.ARN) bool {
	if a.Region != "" && arn.Region != "" && a.Region != arn.Region {
		return false
	}
	a.ID, a.Region = arn.ID, cmp.Or(a.Region, arn.Region)
	return true
}

// Command returns the command line that creates the trust anchor, or updates it.
func (a Anchor) Command() (string, error) {
	var source struct {
		Type string `json:"sourceType"`
		Data struct {
			PEM string `json:"x509CertificateData"`
		} `json:"sourceData"`
	}
	source.Type, source.Data.PEM = "CERTIFICATE_BUNDLE", string(a.PEM)
	document, err := json.Marshal(source)
	if err != nil {
		return "", err
	}
	line := "aws rolesanywhere "
	if a.ID == "" {
		line += "create-trust-anchor --enabled --name " + Quote(ResourceName(a.Name))
	} else {
		line += "update-trust-anchor --trust-anchor-id " + Quote(a.ID)
	}
	if a.Region != "" {
		line += " --region " + Quote(a.Region)
	}
	return line + " --source " + Quote(string(document)), nil
}

// Quote makes one word of text for a shell: POSIX, "Shell Command Language", 2.2.2.
func Quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
