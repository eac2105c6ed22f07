package cadir

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"kedge/internal/est"
)

// ESTSettings say how devices enroll by EST (RFC 7030).
type ESTSettings struct {
	// Enabled has the server answer at /.well-known/est/, below its URL, and ask all clients for a
	// certificate of TLS, which none has to have. Default: false.
	Enabled bool `yaml:"enabled"`
	// Labels are those of /.well-known/est/LABEL/, for devices that need other settings than those
	// without a label. Default: none.
	Labels map[string]ESTLabel `yaml:"labels"`
}

// ESTLabel are the settings of a label.
type ESTLabel struct {
	// Profile is the only one that is issued at this label. Default: that of the token or
	// certificate, and default_profile for requests that wait for approval.
	Profile string `yaml:"profile"`
	// Wrapped has the base64 of answers in lines, as libest needs it. Default: false.
	Wrapped bool `yaml:"wrapped"`
}

// check refuses labels that no path can have.
func (c ESTSettings) check() error {
	for _, label := range slices.Sorted(maps.Keys(c.Labels)) {
		if !est.IsLabel(label) {
			return fmt.Errorf("labels: %q cannot be a label: it takes 1 to 64 letters, digits and -._~, and is not the name of an operation of EST", label)
		}
	}
	return nil
}

// Warning returns what to warn of: labels without effect. Empty: there is nothing.
func (c ESTSettings) Warning() string {
	if len(c.Labels) == 0 || c.Enabled {
		return ""
	}
	return "server.est has labels, and enabled is not true: EST is off"
}

// checkLabels refuses labels whose profile there is not.
func (s *Settings) checkLabels() error {
	for _, label := range slices.Sorted(maps.Keys(s.Server.EST.Labels)) {
		if profile := s.Server.EST.Labels[label].Profile; profile != "" {
			if _, err := s.Profile(profile); err != nil {
				if unknown, ok := errors.AsType[*UnknownProfileError](err); ok {
					unknown.Label = label
				}
				return fmt.Errorf("est.labels: %q: %w", label, err)
			}
		}
	}
	return nil
}
