package main

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/cli"
	"kedge/internal/role"
)

// profiles are the names of the profiles in the configuration; none without one. It is for after
// settle.
func (f *settingFlags) profiles() []string {
	if f.file == nil {
		return nil
	}
	return f.file.Profiles()
}

// other returns the role of another profile: what the command line and the environment say stays. The
// file is read again.
func (f *roleFlags) other(cmd *cobra.Command, h host, profile string) (*role.Config, error) {
	o := &roleFlags{settingFlags: settingFlags{chooser: f.chooser, shared: true}, check: f.check}
	twin := &cobra.Command{Use: cmd.Use, Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: cmd.CommandPath()}}
	o.add(twin.Flags())
	var failed error
	cmd.Flags().Visit(func(given *pflag.Flag) {
		flag := twin.Flags().Lookup(given.Name)
		if flag == nil || originOf(cmd, given.Name) != "" {
			return
		}
		flag.Changed = true
		failed = errors.Join(failed, copyValue(flag, given))
	})
	if failed != nil {
		return nil, cli.Usagef(cmd, "%w", failed)
	}
	chooser := twin.Flags().Lookup(f.chooser)
	chooser.Changed = true
	o.chosen = profile
	if err := o.settle(twin, h.environment); err != nil {
		return nil, err
	}
	return o.resolve(twin, h)
}

func copyValue(to, from *pflag.Flag) error {
	list, ok := from.Value.(pflag.SliceValue)
	if !ok {
		return to.Value.Set(from.Value.String())
	}
	return to.Value.(pflag.SliceValue).Replace(list.GetSlice())
}
