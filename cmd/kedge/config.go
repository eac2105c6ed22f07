package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/cli"
	"kedge/internal/config"
)

// newConfig makes the commands that show what is in the configuration.
func newConfig(h host) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show and check the configuration file",
		Long: `A flag that is not given is taken from the environment, else from the profile that
--profile names in the configuration file, else from the file's defaults:

  # /etc/kedge/config.yaml
  defaults:
    certificate: /etc/kedge/web-01.pem
    private-key: /etc/kedge/web-01.key
    trust-anchor-arn: arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/<id>
    profile-arn: arn:aws:rolesanywhere:eu-west-1:111122223333:profile/<id>
  profiles:
    backup:
      role-arn: arn:aws:iam::111122223333:role/backup

Settings have the names of the flags, and variables too: KEDGE_ROLE_ARN is --role-arn. What one
command alone has stands in a section of its name, as in "serve:". Passwords are not in the
file, only where they are.`,
	}
	cmd.AddCommand(newConfigShow(h, runConfigShow), newConfigCheck(h, runConfigCheck))
	return cmd
}

type configOptions struct {
	host
	roleFlags
	cmd   *cobra.Command
	cache cacheFlags
	all   bool
	json  bool
}

func newConfigShow(h host, run func(context.Context, *configOptions) error) *cobra.Command {
	o := &configOptions{host: h, roleFlags: roleFlags{settingFlags: settingFlags{shared: true}}}
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print the settings and where they come from",
		Long: `Prints each setting of a role that is set, its value, and where that comes from: a flag, a
variable, or a line of the file. With --all, and with --json, the settings that have their default are
printed, too. Passwords and PINs are left out.`,
		Example: "  kedge config show --profile backup",
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			o.cmd = cmd
			return o.settle(cmd, o.host.environment)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.add(cmd.Flags())
	o.cache.add(cmd.Flags())
	cmd.Flags().BoolVar(&o.all, "all", false, "print the settings that have their default, too")
	cli.AddJSON(cmd.Flags(), &o.json)
	return cmd
}

// setting is one that is shown.
type setting struct {
	Name   string   `json:"name"`
	Value  string   `json:"value,omitempty"`
	Values []string `json:"values,omitempty"` // of what can be given several times
	Source string   `json:"source"`           // flag, env, file or default
	From   string   `json:"from,omitempty"`   // --region, KEDGE_REGION, /etc/kedge/config.yaml:7
}

func runConfigShow(_ context.Context, o *configOptions) error {
	var all []setting
	names := roleSettings()
	o.cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if names.Lookup(flag.Name) != nil && (flag.Changed || !flag.Hidden) {
			all = append(all, o.shown(flag))
		}
	})
	file := ""
	if o.file != nil {
		file = o.file.Path()
	}
	if o.json {
		document, err := json.MarshalIndent(struct {
			Schema   int       `json:"schema"`
			File     string    `json:"file,omitempty"`
			Profile  string    `json:"profile,omitempty"`
			Settings []setting `json:"settings"`
		}{1, file, o.chosen, all}, "", "  ")
		if err != nil {
			return err
		}
		return o.print(append(document, '\n'))
	}
	if !o.all {
		all = slices.DeleteFunc(all, func(s setting) bool { return s.Source == "default" })
	}
	return o.print(settingsTable(file, o.chosen, all))
}

// shown tells a flag's value without its secrets, and where it comes from.
func (o *configOptions) shown(flag *pflag.Flag) setting {
	s := setting{Name: flag.Name, Source: "default"}
	if list, ok := flag.Value.(pflag.SliceValue); ok {
		for _, value := range list.GetSlice() {
			s.Values = append(s.Values, config.HideSecrets(flag.Name, value))
		}
	} else if value := flag.Value.String(); value != "" {
		s.Value = config.HideSecrets(flag.Name, value)
	}
	s.From = originOf(o.cmd, flag.Name)
	switch {
	case !flag.Changed:
	case s.From == "":
		s.Source, s.From = "flag", "--"+flag.Name
	case strings.HasPrefix(s.From, "KEDGE_"):
		s.Source = "env"
	default:
		s.Source = "file"
	}
	return s
}
