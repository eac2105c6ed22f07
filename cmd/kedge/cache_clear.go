package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

type cacheClearOptions struct {
	host
	cache cacheFlags
}

func newCacheClear(h host, run func(context.Context, *cacheClearOptions) error) *cobra.Command {
	o := &cacheClearOptions{host: h}
	cmd := &cobra.Command{
		Use:   "clear",
		Short: "Remove all cached credentials",
		Long: `Removes all credentials in the cache, so that the next run asks for new ones. Those that a
program has got already go on until they expire.`,
		Example: `  kedge cache clear
  kedge cache clear --cache /var/lib/backup/kedge`,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.cache.checkNamed(cmd, o.host) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.cache.add(cmd.Flags())
	return cmd
}

func runCacheClear(_ context.Context, o *cacheClearOptions) error {
	c, err := o.cache.existing(o.host)
	if err != nil {
		return err
	}
	n, err := c.Clear()
	if err != nil {
		return fmt.Errorf("clear the cache: %w", err)
	}
	o.done(fmt.Sprintf("removed from the cache: %d", n))
	return nil
}
