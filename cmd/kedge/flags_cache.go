package main

import (
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/cache"
	"kedge/internal/cli"
	"kedge/internal/config"
)

// cacheFlags say where credentials are shared with other runs.
type cacheFlags struct {
	value  string
	folder config.Cache
}

func (f *cacheFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.value, "cache", "auto", "share credentials with other runs in a folder: DIR, off or auto, which is kedge in the user's runtime directory, where there is one")
	cli.RefuseEmpty(flags, "cache")
}

func (f *cacheFlags) check(cmd *cobra.Command) (err error) {
	f.folder, err = config.ParseCache(f.value)
	return usage(cmd, err)
}

// off reports whether there is no cache: by choice, or because none was named and no folder is safe for
// one.
func (f *cacheFlags) off() bool {
	return f.folder.Dir == "" || f.folder.Parent != "" && !cache.Private(f.folder.Parent)
}

// open returns the cache, where another process is waited for no longer than the timeout; 0 and a
// nil trace are good for who waits for none.
func (f *cacheFlags) open(h host, timeout time.Duration, trace func(string, ...any)) (*cache.Cache, error) {
	return cache.Open(f.folder.Dir, cache.Options{
		Now:   h.inputs.Now,
		Warn:  func(text string) { h.warn(text) },
		Trace: trace,

		LockTimeout: min(timeout, 10*time.Second),
	})
}

// absolute is a path as a person wants to see it, whatever folder the program ran in.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
