package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/report"
)

type bundleOptions struct {
	host
	store     storeFlags
	output    outputFlags
	authority string
	awsCLI    bool
	anchor    string // the trust anchor to update
	arn       string // its ARN, where that was given
	region    string
}

func newBundle(h host, run func(context.Context, *bundleOptions) error) *cobra.Command {
	o := &bundleOptions{host: h}
	cmd := &cobra.Command{
		Use:   "bundle",
		Short: "Write what to register at IAM Roles Anywhere as the trust anchor",
		Long: `Write the certificates to register at IAM Roles Anywhere as the trust anchor, as PEM: the root
or, while it is being rotated, the old and the new one. A trust anchor takes at most 2
certificates and 8,000 characters; what has more is refused here.

With --aws-cli the output is instead the command line of the AWS CLI that registers it, for a
POSIX shell: create-trust-anchor, or update-trust-anchor once its ARN is known. An ARN that is
given once with --trust-anchor is kept in aws.yaml in the CA's folder.`,
		Example: `  kedge-ca bundle > anchor.pem
  kedge-ca bundle --aws-cli
  kedge-ca bundle --aws-cli --trust-anchor arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000001`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.store.addFolder(cmd)
	o.output.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.authority, "authority", "", "`NAME` of the one authority to register, such as an intermediate, instead of the roots")
	flags.BoolVar(&o.awsCLI, "aws-cli", false, "write the command line of the AWS CLI that registers the bundle")
	flags.StringVar(&o.anchor, "trust-anchor", "", "`ARN` or id of the trust anchor to update")
	flags.StringVar(&o.region, "region", "", "`REGION` of the trust anchor; that of its ARN when not given, and then that of the AWS CLI")
	cmd.MarkFlagsMutuallyExclusive("json", "aws-cli")
	return cmd
}

// check refuses flags that mean nothing, and makes of an ARN the id that the AWS CLI takes.
func (o *bundleOptions) check(cmd *cobra.Command) error {
	if !o.awsCLI && (o.anchor != "" || o.region != "") {
		return cli.Usagef(cmd, "--trust-anchor and --region are for --aws-cli")
	}
	if !strings.HasPrefix(o.anchor, "arn:") {
		if strings.Trim(strings.ToLower(o.anchor), "0123456789abcdef-") != "" {
			return cli.Usagef(cmd, "--trust-anchor: %q is neither the ARN nor the id of a trust anchor", o.anchor)
		}
		return nil
	}
	arn, err := cadir.ParseARN(o.anchor, cadir.TrustAnchorARN)
	if err != nil {
		return cli.Usagef(cmd, "--trust-anchor: %w", err)
	}
	if o.region != "" && o.region != arn.Region {
		return cli.Usagef(cmd, "--region: the trust anchor is in %s by its ARN, not in %s", arn.Region, o.region)
	}
	o.arn, o.anchor, o.region = arn.Text, arn.ID, arn.Region
	return nil
}

func runBundle(ctx context.Context, o *bundleOptions) (err error) {
	s, err := readStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	anchors, err := s.service.Anchors(ctx, o.authority)
	if err != nil {
		return err
	}
	text, err := issuance.AnchorPEM(anchors...)
	if err != nil {
		return err
	}
	for _, a := range anchors {
		if now := o.inputs.Now(); now.After(a.Certificate.NotAfter) {
			o.warn(fmt.Sprintf("the certificate of %q expired on %s", a.Name, a.Certificate.NotAfter.UTC().Format(time.DateOnly)))
		}
	}
	switch {
	case o.output.json:
		return o.writeJSON(anchors, text)
	case o.awsCLI:
		if err := o.resolveAnchor(len(anchors) > 1); err != nil {
			return err
		}
		line, err := o.commandLine(anchors[len(anchors)-1], text)
		if err != nil {
			return err
		}
		return report.Write(o.Out, []byte(line))
	}
	return report.Write(o.Out, text)
}

// commandLine is for a POSIX shell.
func (o *bundleOptions) commandLine(newest ledger.Authority, text []byte) (string, error) {
	type sourceData struct {
		PEM string `json:"x509CertificateData"`
	}
	source, err := report.EncodeJSON(struct {
		Type string     `json:"sourceType"`
		Data sourceData `json:"sourceData"`
	}{"CERTIFICATE_BUNDLE", sourceData{string(text)}})
	if err != nil {
		return "", err
	}
	words := []string{"aws", "rolesanywhere"}
	if o.anchor == "" {
		words = append(words, "create-trust-anchor", "--enabled", "--name", shellQuote(newest.Certificate.Subject.CommonName))
	} else {
		words = append(words, "update-trust-anchor", "--trust-anchor-id", shellQuote(o.anchor))
	}
	if o.region != "" {
		words = append(words, "--region", shellQuote(o.region))
	}
	return strings.Join(append(words, "--source", shellQuote(string(source))), " ") + "\n", nil
}

// shellQuote makes one word of text: POSIX, "Shell Command Language", 2.2.2.
func shellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func (o *bundleOptions) writeJSON(anchors []ledger.Authority, text []byte) error {
	document := struct {
		Anchors    []certinfo.Authority `json:"anchors"`
		Characters int                  `json:"characters"`
		PEM        string               `json:"pem"`
	}{nil, len(text), string(text)}
	for _, a := range anchors {
		document.Anchors = append(document.Anchors, certinfo.OfAuthority(a))
	}
	return report.WriteJSON(o.Out, document)
}
