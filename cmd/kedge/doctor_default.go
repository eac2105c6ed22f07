package main

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/cli"
	"kedge/internal/doctor"
)

// takeDefault takes what there is to examine where nothing says it, as if it had been given by flags.
func (o *doctorOptions) takeDefault(cmd *cobra.Command) error {
	if !o.asksForDefault(cmd) {
		return nil
	}
	found := doctor.Programs{Environment: o.environment, Command: o.command}.Default()
	if found == nil {
		return nil
	}
	o.configuration.Taken = found.Name
	err := cmd.ParseFlags(found.Flags)
	if err == nil {
		err = cli.CheckEmpty(cmd.Flags()) // as credential-process does
	}
	if err != nil {
		return fmt.Errorf("%s: %w", found.Name, err)
	}
	return nil
}

// asksForDefault reports whether neither flags nor variables nor the configuration name a certificate or a role, and
// nothing is wrong with them.
func (o *doctorOptions) asksForDefault(cmd *cobra.Command) bool {
	given := false
	cmd.Flags().Visit(func(f *pflag.Flag) { given = given || f.Name != "json" && f.Name != "quiet" })
	if given {
		return false
	}
	probe := newDoctorOptions(o.host)
	other := &cobra.Command{Use: cmd.Use}
	probe.addFlags(other.Flags())
	probe.settleAll(other)
	s := &probe.said
	return probe.configuration.Err == nil && probe.chosen == "" && probe.Certificate+s.Role+s.Profile+s.TrustAnchor == ""
}
