package cadir

import (
	"fmt"
	"path/filepath"
	"time"

	"kedge/ca"
)

// HookSettings name a program that is asked about each request which the profile allows. It gets the
// request as JSON and answers in JSON: it can refuse, or shorten the lifetime. What it does not answer
// in time is not issued.
type HookSettings struct {
	// Command is the program, by its whole path, and its arguments. No shell is between. Default:
	// none.
	Command []string `yaml:"command"`
	// Timeout is how long it may take. Default: 5s.
	Timeout ca.Duration `yaml:"timeout"`
}

const (
	defaultHookTimeout = 5 * time.Second
	// maxHookTimeout leaves time to issue, in what the server takes for a request.
	maxHookTimeout = 20 * time.Second
)

// check refuses values that make no sense.
func (c HookSettings) check() error {
	switch {
	case len(c.Command) > 0 && !filepath.IsAbs(c.Command[0]):
		return fmt.Errorf("hook.command: %q is not the whole path of a program, such as /usr/local/bin/policy", c.Command[0])
	case c.Timeout < 0 || time.Duration(c.Timeout) > maxHookTimeout:
		return fmt.Errorf("hook.timeout: %v must be between 1s and %v", c.Timeout, ca.Duration(maxHookTimeout))
	}
	return nil
}

// complete returns the settings with each default written out.
func (c HookSettings) complete() HookSettings {
	if c.Command == nil {
		c.Command = []string{}
	}
	if c.Timeout == 0 {
		c.Timeout = ca.Duration(defaultHookTimeout)
	}
	return c
}
