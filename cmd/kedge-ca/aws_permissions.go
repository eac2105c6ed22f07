package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kedge/internal/awsrights"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/localca"
	"kedge/internal/report"
)

type awsPermissionsOptions struct {
	caOptions
	command string
	scope   awsrights.Scope
}

func newAWSPermissions(h host, run func(context.Context, *awsPermissionsOptions) error) *cobra.Command {
	o := &awsPermissionsOptions{caOptions: caOptions{host: h}}
	commands := slices.Sorted(maps.Keys(localca.Rights()))
	cmd := &cobra.Command{
		Use:   "permissions <command>",
		Short: "Write the least IAM policy for a command that uses an account at AWS",
		Long: `Write the least IAM policy with which a command works, for the user or role whose credentials it gets:
plan, up, status, rotate, down, hosts and explain for "aws plan" and the like; crl-push for "aws crl push", and
for crl and serve that push by the configuration; crl-status for "status --aws". No request is made.

It allows no more than IAM can tell apart: what has the tag of this CA, in the account and region of its trust
anchor, and the roles under aws: roles: in the configuration, or those of --role. Where these are not known, and not
given, there is a *.`,
		Example: `  kedge-ca aws permissions crl-push > push.json
  kedge-ca aws permissions up --account 111122223333 --region eu-west-1 --role /backup`,
		Args: exactlyOne("name the command: kedge-ca aws permissions COMMAND, of "+strings.Join(commands, ", "), "write one policy at a time"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.command = args[0]
			if err := o.check(cmd, commands); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.store.addFolder(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.scope.Account, "account", "", "`ID` of the account; that of the trust anchor when not given")
	flags.StringVar(&o.scope.Region, "region", "", "`REGION`; that of the trust anchor when not given")
	flags.Var(cli.Limit(&o.scope.Roles), "role", "`PATH` and name of a role for hosts, such as /hosts/backup, for plan and up; may be repeated")
	return cmd
}

func (o *awsPermissionsOptions) check(cmd *cobra.Command, commands []string) error {
	if !slices.Contains(commands, o.command) {
		return cli.Usagef(cmd, "there are no permissions of %q: there are those of %s", o.command, strings.Join(commands, ", "))
	}
	for i, role := range o.scope.Roles {
		if !strings.HasPrefix(role, "/") {
			o.scope.Roles[i] = "/" + role
		}
	}
	return nil
}

func runAWSPermissions(ctx context.Context, s *store, o *awsPermissionsOptions) error {
	scope, err := s.RightsScope(ctx, o.scope)
	if err != nil {
		return err
	}
	all := localca.Rights()[o.command](scope)
	if len(scope.Roles) == 0 && slices.ContainsFunc(all, func(r awsrights.Statement) bool { return len(r.Resources) == 0 }) {
		return errNoRoles
	}
	text, err := awsrights.Policy(all)
	if err != nil {
		return err
	}
	for _, unknown := range []struct{ value, what, flag string }{{scope.Account, "account", "--account"}, {scope.Region, "region", "--region"}} {
		if unknown.value == "*" {
			o.warn(fmt.Sprintf("the %s is not known, and the policy allows any: give it with %s", unknown.what, unknown.flag))
		}
	}
	others, err := s.PlacesBesides(cadir.Place{Account: scope.Account, Region: scope.Region})
	if err != nil {
		return err
	}
	if len(others) > 0 {
		cli.Say(o.Err, name, "note", fmt.Sprintf("the policy is for account %s, %s alone; this CA is also in %s, which --account and --region select", scope.Account, scope.Region, cadir.JoinPlaces(others)))
	}
	return report.Write(o.Out, text)
}
