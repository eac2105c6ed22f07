package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/role"
)

func newConfigCheck(h host, run func(context.Context, *configOptions) error) *cobra.Command {
	o := &configOptions{host: h, roleFlags: roleFlags{settingFlags: settingFlags{shared: true}, check: (*role.Config).CheckFiles}}
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the whole configuration file",
		Long: `Reads the configuration file, and checks every profile and every section as the commands would
before they use a key or the network: names, values, ARNs that fit each other, nothing missing, and
that each file named can be read by this user. It asks for no password, and opens no key in hardware.
With --profile it checks that one.`,
		Example: "  kedge config check --config /etc/kedge/config.yaml",
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			o.cmd = cmd
			if err := o.settle(cmd, o.host.environment); err != nil {
				return err
			}
			if o.file == nil {
				return &cli.UsageError{Command: cmd.CommandPath(), Err: errNoFile}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.add(cmd.Flags())
	return cmd
}

func runConfigCheck(_ context.Context, o *configOptions) error {
	if err := o.checkSections(); err != nil {
		return err
	}
	names := o.profiles()
	if o.chosen != "" {
		names = []string{o.chosen}
	}
	for _, profile := range names {
		if _, err := o.other(o.cmd, o.host, profile); err != nil {
			return fmt.Errorf("profile %q: %w", profile, err)
		}
	}
	if len(names) == 0 {
		if _, err := o.resolve(o.cmd, o.host); err != nil {
			return err
		}
		names = []string{"the defaults, without a profile"}
	}
	return o.print([]byte(o.file.Path() + " can be used: " + strings.Join(names, ", ") + "\n"))
}

// checkSections sets the flags of each command that has a section.
func (o *configOptions) checkSections() error {
	for _, name := range sections() {
		section := o.file.Section(name)
		if len(section) == 0 {
			continue
		}
		all := commands(o.host)
		i := slices.IndexFunc(all, func(c *cobra.Command) bool { return c.Name() == name })
		if i < 0 {
			return refusedSection(name, refused(section[0], "there is no command "+name))
		}
		if err := checkSection(all[i], section, roleSettings()); err != nil {
			return refusedSection(name, err)
		}
		if err := fill(all[i], section); err != nil {
			return err
		}
	}
	return nil
}

func refusedSection(name string, err error) error {
	return &cli.UsageError{Command: "kedge " + name, Err: err}
}
