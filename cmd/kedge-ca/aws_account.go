package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/internal/awsaccount"
	"kedge/internal/awsplan"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/localca"
)

// accountFlags say by which credentials an account at AWS is used.
type accountFlags struct{ profile, region, endpoint string }

func (f *accountFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.profile, "aws-profile", "", "`NAME` of the AWS profile with the credentials of an administrator; as the AWS CLI finds them when not given")
	flags.StringVar(&f.region, "region", "", "`REGION` of the trust anchor and the profile; that of the AWS profile when not given")
	flags.StringVar(&f.endpoint, "endpoint-url", "", "`URL` of the services, instead of AWS's own")
}

func (f *accountFlags) open(ctx context.Context, h host) (*awsaccount.Account, error) {
	c := awsaccount.Config{Profile: f.profile, Region: f.region, EndpointURL: f.endpoint}
	if h.account != nil {
		h.account(&c)
	}
	return awsaccount.Open(ctx, c)
}

// wantedFlags say what hosts need in the account, besides what the configuration says.
type wantedFlags struct {
	named    string // the one role; empty: each one that is configured
	role     cadir.RoleSettings
	account  cadir.AccountSettings
	tags     []string
	duration time.Duration
}

func (f *wantedFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.named, "role", "", "`NAME` of the one role to build; each role under aws: roles: in the configuration when not given")
	flags.Var(cli.LimitList(&f.role.Names), "names", "`NAMES` of the hosts that get the role, with commas between them; may be repeated")
	flags.Var(cli.Limit(&f.role.SANURIs), "san-uri", "`URI` of the hosts that get the role, or a pattern; may be repeated")
	flags.Var(cli.Limit(&f.role.Units), "ou", "organizational `UNIT` of the hosts that get the role; may be repeated")
	flags.Var(cli.Limit(&f.role.Policies), "policy", "what the role may do: `FILE` with a policy as JSON, or ARN of a managed policy; may be repeated")
	flags.StringVar(&f.account.PermissionsBoundary, "permissions-boundary", "", "`ARN` of the permissions boundary of roles; that in the configuration when not given")
	flags.StringVar(&f.account.Path, "path", "", "`PATH` of new roles, such as /hosts/; that in the configuration when not given")
	flags.StringArrayVar(&f.tags, "tag", nil, "`KEY=VALUE` of a tag of all that is created, besides those in the configuration; may be repeated")
	flags.DurationVar(&f.duration, "duration", 0, "`DURATION` of the hosts' sessions, from 15m to 12h; session_duration under server: aws: in the configuration when not given")
}

// check refuses flags that do not fit each other.
func (f *wantedFlags) check(cmd *cobra.Command) error {
	hosts := len(f.role.Names) + len(f.role.SANURIs) + len(f.role.Units)
	switch {
	case f.named == "" && (cmd.Flags().Changed("role") || hosts > 0 || len(f.role.Policies) > 0):
		return cli.Usagef(cmd, "give the role a name: --role NAME")
	case hosts == 0 && len(f.role.Policies) > 0:
		return cli.Usagef(cmd, "--policy: say which hosts get the role, with --names, --san-uri or --ou; a role of the configuration has its policies there")
	case cmd.Flags().Changed("duration") && (f.duration < 15*time.Minute || f.duration > awsplan.MaxMaxSession || f.duration%time.Second != 0):
		return cli.Usagef(cmd, "--duration: %v is not between 15m and 12h, in whole seconds", f.duration)
	}
	if err := f.readTags(cmd); err != nil {
		return err
	}
	if err := f.findPolicies(cmd); err != nil {
		return err
	}
	settings := f.account
	if hosts > 0 {
		settings.Roles = map[string]cadir.RoleSettings{f.named: f.role}
	}
	if err := settings.Check(); err != nil {
		return cli.Usagef(cmd, "%w", err)
	}
	return nil
}

// readTags takes the tags apart.
func (f *wantedFlags) readTags(cmd *cobra.Command) error {
	f.account.Tags = map[string]string{}
	for _, tag := range f.tags {
		key, value, ok := strings.Cut(tag, "=")
		if !ok {
			return cli.Usagef(cmd, "--tag: %q is not KEY=VALUE", tag)
		}
		f.account.Tags[key] = value
	}
	return nil
}

// findPolicies makes the paths of policies absolute: those of the configuration are below the CA's folder.
func (f *wantedFlags) findPolicies(cmd *cobra.Command) error {
	for i, policy := range f.role.Policies {
		if strings.HasPrefix(policy, "arn:") {
			continue
		}
		path, err := filepath.Abs(policy)
		if err != nil {
			return cli.Usagef(cmd, "--policy: %w", err)
		}
		f.role.Policies[i] = path
	}
	return nil
}

// errNoRoles is returned if neither the configuration nor a flag names a role.
var errNoRoles = errors.New("no role for hosts is described")

// wanted returns what hosts need: the configuration, with what the flags say instead.
func (f *wantedFlags) wanted(ctx context.Context, s *store) (*localca.AccountPlan, error) {
	a := s.Settings.AWS
	a.Tags = maps.Clone(a.Tags)
	if a.Tags == nil {
		a.Tags = map[string]string{}
	}
	maps.Copy(a.Tags, f.account.Tags)
	if f.account.PermissionsBoundary != "" {
		a.PermissionsBoundary = f.account.PermissionsBoundary
	}
	if f.account.Path != "" {
		a.Path = f.account.Path
	}
	if f.named != "" {
		role := f.role
		if len(role.Names)+len(role.SANURIs)+len(role.Units) == 0 {
			var err error
			if role, err = s.Settings.Role(f.named); err != nil {
				return nil, err
			}
		}
		a.Roles = map[string]cadir.RoleSettings{f.named: role}
	}
	if len(a.Roles) == 0 {
		return nil, errNoRoles
	}
	plan, err := s.AWSWanted(ctx, a)
	if err != nil {
		return nil, err
	}
	plan.Wanted.KeepRoles = f.named != ""
	if f.duration != 0 {
		plan.Wanted.SetDuration(f.duration)
	}
	return plan, nil
}

// noteOthers names the other places of this CA: the command is about one.
func (s *store) noteOthers(place cadir.Place) error {
	others, err := s.PlacesBesides(place)
	if err == nil && len(others) > 0 {
		cli.Say(s.host.Err, name, "note", fmt.Sprintf("this is about %s alone; this CA is also in %s, which --aws-profile and --region select", place, cadir.JoinPlaces(others)))
	}
	return err
}
