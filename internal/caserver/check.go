package caserver

import (
	"fmt"
	"io"
	"log/slog"

	"kedge/internal/enrollapi"
)

// Check checks the addresses, the URL and how long requests may take. Errors name the flags of
// kedge-ca serve.
func (c Config) Check() error {
	for _, sockets := range []struct {
		flag      string
		addresses []string
	}{{"listen", c.Listen}, {"http", c.Plain}, {"metrics", c.Metrics}} {
		for _, address := range sockets.addresses {
			if err := CheckAddress(address); err != nil {
				return fmt.Errorf("--%s: %w", sockets.flag, err)
			}
		}
	}
	if c.URL != "" {
		if err := enrollapi.CheckURL(c.URL); err != nil {
			return fmt.Errorf("--url: %w", err)
		}
	}
	if c.Drain <= 0 {
		return fmt.Errorf("--drain: %v must be positive", c.Drain)
	}
	return nil
}

// NewLog returns a log in a format: text or json.
func NewLog(format string, out io.Writer) (*slog.Logger, error) {
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(out, nil)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(out, nil)), nil
	}
	return nil, fmt.Errorf("--log-format: %q is neither text nor json", format)
}
