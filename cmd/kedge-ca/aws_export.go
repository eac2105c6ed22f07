package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/awsexport"
	"kedge/internal/awsplan"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/report"
)

type awsExportOptions struct {
	caOptions
	wanted                         wantedFlags
	cloudFormation, terraform, cli bool
	imported                       bool
	place                          string
}

func newAWSExport(h host, run func(context.Context, *awsExportOptions) error) *cobra.Command {
	o := &awsExportOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write what \"aws up\" would build for Terraform, CloudFormation or the AWS CLI",
		Long: `Write what hosts of this CA need in an account at AWS for another tool, which builds it there. It is what
"aws up" would build in an account that has nothing of it, with the same tags. AWS is not asked, and
needs no credentials here.

With --cli it is a script for a POSIX shell and the AWS CLI. It ends before it makes anything if the trust anchor
or the profile of this CA is there, or a role of the same name: a second run makes nothing twice.

With --terraform it is a configuration for the provider hashicorp/aws. To change the notifications of a trust anchor
the provider would replace it: the AWS CLI changes them, if there is one where Terraform runs, and otherwise "aws up".
With --import the configuration imports what is in the account: the trust anchor, the profile and the roles
whose ARNs aws.yaml in the CA's folder has, and of the policies those that it lists.

With --cloudformation it is a template, for a stack with the capability CAPABILITY_NAMED_IAM. One of more than 51,200
bytes has to be put into S3.

Run "aws up" afterwards: it finds what was built by its tags, tries each role, and keeps the ARNs. Lists of
revoked certificates are not in the export, since each new one replaces them: "aws crl push" brings them.`,
		Example: `  kedge-ca aws export --cli --role backup --names web-01,web-02 --policy backup.json > build.sh
  kedge-ca aws export --terraform --role backup --names web-01,web-02 --policy backup.json > kedge.tf`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.imported && !o.terraform {
				return cli.Usagef(cmd, "--import is for --terraform")
			}
			if o.place != "" && !o.imported {
				return cli.Usagef(cmd, "--place is for --import")
			}
			if err := o.wanted.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.store.addFolder(cmd)
	o.wanted.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&o.cloudFormation, "cloudformation", false, "write a template of CloudFormation, as JSON")
	flags.BoolVar(&o.terraform, "terraform", false, "write a configuration of Terraform")
	flags.BoolVar(&o.cli, "cli", false, "write a script for the AWS CLI")
	flags.BoolVar(&o.imported, "import", false, "with --terraform: import what is in the account, by aws.yaml in the CA's folder")
	flags.StringVar(&o.place, "place", "", "`ACCOUNT/REGION` of what is imported, if aws.yaml has several")
	formats := []string{"cloudformation", "terraform", "cli"}
	cmd.MarkFlagsOneRequired(formats...)
	cmd.MarkFlagsMutuallyExclusive(formats...)
	return cmd
}

func runAWSExport(ctx context.Context, s *store, o *awsExportOptions) error {
	plan, err := o.wanted.wanted(ctx, s)
	if err != nil {
		return err
	}
	text, err := o.text(s, plan.Wanted)
	if err != nil {
		return err
	}
	if plan.Wanted.Alias != "" {
		plan.Notes.Next("the alias %s is not in the export: kedge-ca aws up sets it", plan.Wanted.Alias)
	}
	s.host.note(plan.Notes)
	if plan.Wanted.KeepRoles {
		s.host.warn("the profile in the export has the role " + o.wanted.named + " alone, and no other one that is configured or at AWS")
	}
	if o.cloudFormation && len(text) > awsexport.MaxTemplate {
		s.host.warn("the template is larger than a request takes: put it into S3 and give CloudFormation its URL, as aws cloudformation deploy --s3-bucket does")
	}
	return report.Write(o.Out, []byte(text))
}

// text returns what is wanted for the tool.
func (o *awsExportOptions) text(s *store, w *awsplan.Wanted) (string, error) {
	switch {
	case o.cloudFormation:
		return awsexport.CloudFormation(w)
	case o.cli:
		return awsexport.Shell(w)
	case !o.imported:
		return awsexport.Terraform(w, awsexport.Known{})
	}
	places, err := s.Places()
	if err != nil {
		return "", err
	}
	known, err := o.chosen(places)
	if err != nil {
		return "", err
	}
	return awsexport.Terraform(w, awsexport.Known{Anchor: known.TrustAnchor, Profile: known.Profile, Roles: known.Roles, Policies: known.Policies})
}

// chosen returns the place of --place, or the only one.
func (o *awsExportOptions) chosen(places *cadir.Places) (*cadir.AWS, error) {
	var all []*cadir.AWS
	for _, at := range places.All {
		if at.TrustAnchor != "" && (o.place == "" || o.place == at.Account+"/"+at.Region) {
			all = append(all, at)
		}
	}
	switch len(all) {
	case 0:
		return nil, errNothingKnown
	case 1:
		return all[0], nil
	}
	return nil, &severalPlacesError{places.Known(), "--place ACCOUNT/REGION"}
}

// severalPlacesError reports that it is not clear which place of the CA is meant.
type severalPlacesError struct {
	known []cadir.Place
	flag  string // that names one
}

func (e *severalPlacesError) Error() string {
	return fmt.Sprintf("aws.yaml has several places, %s: name one with %s", cadir.JoinPlaces(e.known), e.flag)
}

// errNothingKnown is returned if there is nothing to import.
var errNothingKnown = errors.New("aws.yaml in the CA's folder has no trust anchor to import: run kedge-ca aws up, or leave out --import")
