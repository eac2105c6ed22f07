package main

import (
	"errors"

	"github.com/spf13/cobra"

	"kedge/internal/cache"
	"kedge/internal/config"
	"kedge/internal/settings"
)

// newCache groups what is done with the cache as a whole.
func newCache(h host) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "List and clear the credentials that credential-process keeps",
		Long: `credential-process shares credentials between its runs, in a folder that only its user can
read: see its flag --cache. The folder is named here by the same flag, or by
KEDGE_CACHE.`,
		Example: `  kedge cache list
  kedge cache clear`,
	}
	cmd.AddCommand(newCacheList(h, runCacheList), newCacheClear(h, runCacheClear))
	return cmd
}

// errNoCache is the answer where --cache auto is off.
var errNoCache = errors.New("there is no cache: XDG_RUNTIME_DIR names no folder that only this user can write to")

// existing opens the cache for a person who asks for it.
func (f *cacheFlags) existing(h host) (*cache.Cache, error) {
	if f.off() {
		return nil, errNoCache
	}
	return f.open(h, 0, nil)
}

// checkNamed refuses "off" besides what check does: there is nothing to be done with that.
func (f *cacheFlags) checkNamed(cmd *cobra.Command, h host) error {
	if said := h.environment.Variable("cache"); said != "" {
		if err := fill(cmd, []settings.Setting{{Key: "cache", Values: []string{said}, File: config.VariableOf("cache")}}); err != nil {
			return err
		}
	}
	if err := f.check(cmd); err != nil {
		return err
	}
	if f.value == "off" {
		return badValue(cmd, "cache", errors.New("off is no folder"))
	}
	return nil
}
