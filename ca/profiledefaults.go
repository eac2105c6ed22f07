package ca

import "slices"

// Complete returns the configuration with each default written out: NewProfile returns the same
// profile for it.
func (c ProfileConfig) Complete() ProfileConfig {
	if c.Subject.CommonName == "" {
		c.Subject.CommonName = placeholder
	}
	c.Lifetime = c.Lifetime.complete()
	if c.ExtKeyUsage == nil {
		c.ExtKeyUsage = slices.Clone(DefaultProfileConfig().ExtKeyUsage)
	}
	return c
}

// complete fills in the defaults. Neither value is negative.
func (l LifetimeConfig) complete() LifetimeConfig {
	switch {
	case l.Default == 0 && l.Max == 0:
		return LifetimeConfig{Duration(defaultLifetime), Duration(defaultMaxLifetime)}
	case l.Default == 0:
		l.Default = min(Duration(defaultLifetime), l.Max)
	case l.Max == 0:
		l.Max = max(Duration(defaultMaxLifetime), l.Default)
	}
	return l
}
