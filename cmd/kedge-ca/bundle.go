package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/awscli"
	"kedge/internal/cadir"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/report"
)

type bundleOptions struct {
	caOptions
	authority string
	awsCLI    bool
	anchor    awscli.Anchor
	arn       string // of the trust anchor to update, if given
}

func newBundle(h host, run func(context.Context, *bundleOptions) error) *cobra.Command {
	o := &bundleOptions{caOptions: caOptions{host: h}}
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
	o.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.authority, "authority", "", "`NAME` of the one authority to register, such as an intermediate, instead of the roots")
	flags.BoolVar(&o.awsCLI, "aws-cli", false, "write the command line of the AWS CLI that registers the bundle")
	flags.StringVar(&o.anchor.ID, "trust-anchor", "", "`ARN`, of the trust anchor to update or of an alias, or its id")
	flags.StringVar(&o.anchor.Region, "region", "", "`REGION` of the trust anchor; that of its ARN when not given, and then that of the AWS CLI")
	cmd.MarkFlagsMutuallyExclusive("json", "aws-cli")
	return cmd
}

// check refuses flags without effect, and sets the id for the AWS CLI from an ARN.
func (o *bundleOptions) check(cmd *cobra.Command) error {
	if !o.awsCLI && (o.anchor.ID != "" || o.anchor.Region != "") {
		return cli.Usagef(cmd, "--trust-anchor and --region are for --aws-cli")
	}
	arn, err := awscli.ParseAnchor(o.anchor.ID)
	if err != nil {
		return cli.Usagef(cmd, "--trust-anchor: %w", err)
	}
	if !o.anchor.At(arn) {
		return cli.Usagef(cmd, "--region: the trust anchor is in %s by its ARN, not in %s", arn.Region, o.anchor.Region)
	}
	o.arn = arn.Text
	return nil
}

func runBundle(ctx context.Context, s *store, o *bundleOptions) error {
	anchors, err := s.Service.Anchors(ctx, o.authority)
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
		return o.writeAnchors(anchors, text)
	case o.awsCLI:
		if err := o.resolveAnchor(ctx, len(anchors) > 1); err != nil {
			return err
		}
		newest := anchors[len(anchors)-1]
		o.anchor.Name, o.anchor.PEM = cmp.Or(newest.Certificate.Subject.CommonName, newest.Name), text
		line, err := o.anchor.Command()
		if err != nil {
			return err
		}
		text = []byte(line + "\n")
	}
	return report.Write(o.Out, text)
}

// resolveAnchor uses the trust anchor stored in the CA's folder if none is given, and stores one
// that is: so that it is updated later, and no second one is created. several reports whether a rotation
// is in progress, for which there must be one already.
func (o *bundleOptions) resolveAnchor(ctx context.Context, several bool) error {
	folder := o.store.folder()
	if o.arn != "" {
		unlock, err := folder.LockAWS(ctx)
		if err != nil {
			return err
		}
		defer unlock()
	}
	known, err := folder.Places()
	if err != nil {
		return err
	}
	kept := o.kept(known)
	switch {
	case o.arn != "" && !slices.Contains(kept, o.arn):
		known.SetAnchor(o.authority, o.arn)
		if err := folder.WritePlaces(known); err != nil {
			o.warn(fmt.Sprintf("the ARN of the trust anchor is not kept: %v", err))
			return nil
		}
		o.say("kept the ARN of the trust anchor in " + folder.AWSPath())
	case o.anchor.ID == "" && len(kept) > 1:
		return &severalPlacesError{known.Known(), "--trust-anchor ARN"}
	case o.anchor.ID == "" && len(kept) == 1:
		arn, err := cadir.ParseARN(kept[0], cadir.TrustAnchorARN)
		if err != nil {
			return err
		}
		if !o.anchor.At(arn) {
			return fmt.Errorf("--region: the trust anchor of %s is in %s, not in %s", folder.AWSPath(), arn.Region, o.anchor.Region)
		}
	case o.anchor.ID == "" && several:
		return &unknownAnchorError{"the root that is being rotated", "kedge-ca bundle --aws-cli"}
	}
	return nil
}

// kept returns the trust anchors of the authority, one for each place.
func (o *bundleOptions) kept(known *cadir.Places) (all []string) {
	for _, at := range known.All {
		if arn := at.Anchor(o.authority); arn != "" {
			all = append(all, arn)
		}
	}
	return all
}

func (o *bundleOptions) writeAnchors(anchors []ledger.Authority, text []byte) error {
	document := struct {
		Anchors    []certinfo.Authority `json:"anchors"`
		Characters int                  `json:"characters"`
		PEM        string               `json:"pem"`
	}{nil, len(text), string(text)}
	for _, a := range anchors {
		document.Anchors = append(document.Anchors, certinfo.OfAuthority(a))
	}
	return o.writeJSON(document)
}
