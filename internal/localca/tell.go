package localca

import (
	"fmt"
	"time"

	"kedge/internal/cadir"
)

// done reports to the caller something that was done.
func (c Config) done(format string, args ...any) {
	if c.Done != nil {
		c.Done(fmt.Sprintf(format, args...))
	}
}

func (c *CA) done(format string, args ...any) { c.config.done(format, args...) }

func (c Config) warnAll(texts []string) {
	for _, text := range texts {
		c.Warn(text)
	}
}

// tellKey reports what became of the key of a new authority, and what endangers it.
func (c Config) tellKey(k *cadir.NewKey) {
	c.done("%s", k.Outcome())
	c.warnAll(k.Dangers())
}

// now is the time of the clock that the keys have, too.
func (c *CA) now() time.Time { return c.config.Keys.Host.Now() }
