package main

import (
	"time"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/emulator"
)

// conditionFlags are how the control planes behave. Each replaces that of the configuration file.
type conditionFlags struct {
	requestRate, lostAnswers float64
	propagationDelay         time.Duration
	staleReads               bool
	seed                     uint64
}

func (o *conditionFlags) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Float64Var(&o.requestRate, "request-rate", 0, "throttle the control planes above this `number` of requests in a second; the quota of IAM Roles Anywhere is 1, those of IAM are not published (default: no limit)")
	f.DurationVar(&o.propagationDelay, "propagation-delay", 0, "let sessions and permissions follow changes of IAM after this `duration`, such as 10s (default: at once)")
	f.BoolVar(&o.staleReads, "stale-reads", false, "let operations of IAM that read show changes as late")
	f.Float64Var(&o.lostAnswers, "lost-answers", 0, "close the connection before this `share` of the control planes' answers, such as 0.1 (default: none)")
	f.Uint64Var(&o.seed, "seed", 0, "`number` that selects which answers are lost")
}

// override changes what the flags name.
func (o *conditionFlags) override(cmd *cobra.Command, c *emulator.Conditions) error {
	for name, set := range map[string]func(){
		"request-rate":      func() { c.RequestRate = o.requestRate },
		"propagation-delay": func() { c.PropagationDelay = o.propagationDelay },
		"stale-reads":       func() { c.StaleReads = o.staleReads },
		"lost-answers":      func() { c.LostAnswers = o.lostAnswers },
		"seed":              func() { c.Seed = o.seed },
	} {
		if cmd.Flags().Changed(name) {
			set()
		}
	}
	if err := c.Validate(); err != nil {
		return cli.Usagef(cmd, "%w", err)
	}
	return nil
}
