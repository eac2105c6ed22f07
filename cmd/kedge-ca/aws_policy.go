package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kedge/internal/awsadmin"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/report"
)

type awsPolicyOptions struct {
	caOptions
	trust awsadmin.Trust // MaxLength and Anchor; what else is in it comes from role
	role  cadir.RoleSettings
	named string // the role in the configuration that role is; empty: the flags say it
}

func newAWSPolicy(h host, run func(context.Context, *awsPolicyOptions) error) *cobra.Command {
	o := &awsPolicyOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "policy [name]...",
		Short: "Write the trust policy of a role for hosts",
		Long: `Write the trust policy of a role that hosts may assume: those whose certificates have one of these
common names, and were issued below this trust anchor; with --issuer, by that authority. Nothing
is changed, here or at AWS. Which hosts of the ledger get the role is on standard error.

A name can be a pattern as in a profile. For a pattern that is the only one under names: of a
profile in kedge-ca.yaml, the policy has the organizational unit that this profile gives, or else
the path of its URIs, if no other profile gives the same. Otherwise the policy compares names by
IAM's wildcards, which cross dots and slashes: write ** for them, since * and ? stop there.

With --role, the hosts are those of the role of that name under aws: roles: in kedge-ca.yaml.

With --san-uri, --ou and --issuer, certificates must have that, too. The trust anchor is that of
--trust-anchor. Otherwise aws.yaml in the CA's folder has it: for the one --issuer, or else the issuing
authority, or for the roots; then server: aws: in the configuration.

With --from-role it is the trust policy of a role that hosts assume by another one, such as a role of
another account; kedge does that with --assume-role-arn. The trust policy of that other role
must let in hosts of this CA alone: whoever else gets it with sts:SetSourceIdentity chooses which host it is.`,
		Example: `  kedge-ca aws policy web-01 web-02 > trust.json
  kedge-ca aws policy 'batch-**'
  kedge-ca aws policy --san-uri 'spiffe://example.com/batch/**'
  kedge-ca aws policy web-01 --from-role arn:aws:iam::111122223333:role/hub`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.role.Names = args
			if err := o.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.store.addFolder(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.named, "role", "", "`NAME` of a role under aws: roles: in the configuration, which says the rest")
	flags.Var(cli.Limit(&o.role.SANURIs), "san-uri", "`URI` of the hosts, such as a SPIFFE ID, or a pattern; may be repeated")
	flags.Var(cli.Limit(&o.role.Units), "ou", "organizational `UNIT` of the hosts; may be repeated")
	flags.Var(cli.Limit(&o.role.Issuers), "issuer", "`NAME` of the authority that issued their certificates; may be repeated")
	flags.StringVar(&o.trust.Anchor, "trust-anchor", "", "`ARN` of the trust anchor; that in aws.yaml of the CA's folder, or in the configuration, when not given")
	flags.Var(cli.Limit(&o.role.FromRoles), "from-role", "`ARN` of a role that hosts have, by which they assume this one; may be repeated")
	flags.IntVar(&o.trust.MaxLength, "max-length", awsadmin.DefaultTrustLength, "most `CHARACTERS` of a trust policy in the account, up to 4096 if its quota was raised")
	for _, other := range []string{"san-uri", "ou", "issuer", "from-role"} {
		cmd.MarkFlagsMutuallyExclusive("role", other)
	}
	cmd.AddCommand(newAWSPolicyLint(h, reading(runAWSPolicyLint)))
	return cmd
}

// check refuses flags that contradict each other.
func (o *awsPolicyOptions) check(cmd *cobra.Command) error {
	switch r := o.role; {
	case o.named != "" && len(r.Names) > 0:
		return cli.Usagef(cmd, "--role: the configuration names its hosts; unexpected argument %q", r.Names[0])
	case o.named == "" && len(r.Names)+len(r.SANURIs)+len(r.Units) == 0:
		return cli.Usagef(cmd, "name the hosts: kedge-ca aws policy NAME, or give --role, --san-uri or --ou")
	case o.trust.MaxLength < 1 || o.trust.MaxLength > awsadmin.MaxTrustLength:
		return cli.Usagef(cmd, "--max-length: %d is not between 1 and %d", o.trust.MaxLength, awsadmin.MaxTrustLength)
	case len(r.FromRoles) > 0 && o.trust.Anchor != "":
		return cli.Usagef(cmd, "--trust-anchor has no meaning with --from-role: there the role names the hosts' trust anchor")
	}
	return o.checkARNs(cmd)
}

// checkARNs refuses flags that are not the ARNs of what they name.
func (o *awsPolicyOptions) checkARNs(cmd *cobra.Command) error {
	if err := checkAnchorFlag(cmd, o.trust.Anchor); err != nil {
		return err
	}
	for _, text := range o.role.FromRoles {
		if _, err := cadir.ParseRole(text); err != nil {
			return cli.Usagef(cmd, "--from-role: %w", err)
		}
	}
	return nil
}

// checkAnchorFlag refuses a --trust-anchor that is none, an empty one too: a variable that is not set is not
// the wish to take what is known.
func checkAnchorFlag(cmd *cobra.Command, anchor string) error {
	if !cmd.Flags().Changed("trust-anchor") {
		return nil
	}
	if _, err := cadir.ParseARN(anchor, cadir.TrustAnchorARN); err != nil {
		return cli.Usagef(cmd, "--trust-anchor: %w", err)
	}
	return nil
}

func runAWSPolicy(ctx context.Context, s *store, o *awsPolicyOptions) error {
	if err := o.resolve(ctx, s); err != nil {
		return err
	}
	if err := o.findAnchor(ctx, s); err != nil {
		return err
	}
	trust, notes := o.trust.Narrow(s.Settings.ProfileConfigs())
	text, err := trust.Policy()
	if err != nil {
		return err
	}
	if len(trust.Hubs) == 0 {
		linter := awsadmin.Linter{Anchors: []string{trust.Anchor}, Now: o.inputs.Now(), MaxLength: trust.MaxLength}
		linted, err := linter.Check("the policy", text, s.Service.Hosts(ctx))
		if err != nil {
			return err
		}
		notes = append(notes, linted.Notes()...)
	}
	o.note(notes)
	return report.Write(o.Out, text)
}

// resolve fills in the role, and the common names of its issuers.
func (o *awsPolicyOptions) resolve(ctx context.Context, s *store) (err error) {
	if o.named != "" {
		if o.role, err = s.Settings.Role(o.named); err != nil {
			return err
		}
		if len(o.role.FromRoles) > 0 && o.trust.Anchor != "" {
			return &cli.UsageError{Command: "kedge-ca aws policy", Err: fmt.Errorf("--trust-anchor has no meaning with --role %s, which has from_role in the configuration: that role names the hosts' trust anchor", o.named)}
		}
	}
	var issuers []string
	for _, name := range o.role.Issuers {
		path, err := s.Service.Path(ctx, name)
		if err != nil {
			return err
		}
		issuers = append(issuers, path[0].Certificate.Subject.CommonName)
	}
	o.trust.Hosts, o.trust.Hubs = awsadmin.HostsOf(o.role, issuers), o.role.FromRoles
	return nil
}

// findAnchor fills in the trust anchor, if none is given, and prints which if several are known.
func (o *awsPolicyOptions) findAnchor(ctx context.Context, s *store) error {
	if o.trust.Anchor != "" || len(o.trust.Hubs) > 0 {
		return nil
	}
	found, err := s.HostAnchor(ctx, o.role.Issuers)
	if err != nil {
		return err
	}
	if o.trust.Anchor = found.ARN; found.ARN != "" && len(found.Others) > 0 {
		o.warn(fmt.Sprintf("several trust anchors are known: took %s, not %s; --trust-anchor gives another one", found.ARN, strings.Join(found.Others, ", ")))
	}
	return nil
}
