package caserver

import (
	"strings"
	"testing"
	"time"
)

func TestConfig_Check(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		change func(*Config)
		want   string // the beginning of the error
	}{
		{func(*Config) {}, ""},
		{func(c *Config) {
			c.Plain, c.Metrics, c.URL = []string{"127.0.0.1:80"}, []string{"[::1]:0"}, "https://ca.example.com:8443/pki"
		}, ""},
		{func(c *Config) { c.Listen = []string{":8443", "8443"} }, `--listen: "8443" is not`},
		{func(c *Config) { c.Plain = []string{"localhost:80"} }, "--http: "},
		{func(c *Config) { c.Metrics = []string{":70000"} }, `--metrics: ":70000": the port`},
		{func(c *Config) { c.URL = "http://ca.example.com" }, "--url: "},
		{func(c *Config) { c.Drain = 0 }, "--drain: 0s must be positive"},
		{func(c *Config) { c.Drain = -time.Second }, "--drain: -1s must be positive"},
	} {
		c := Config{Listen: []string{":8443"}, Drain: time.Second}
		tt.change(&c)
		if err := c.Check(); (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", c, err, tt.want)
		}
	}
}

func TestNewLog(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{"text": "msg=serving", "json": `"msg":"serving"`} {
		var out strings.Builder
		log, err := NewLog(format, &out)
		if err != nil {
			t.Fatal(err)
		}
		if log.Info("serving"); !strings.Contains(out.String(), want) {
			t.Errorf("%s: %s", format, &out)
		}
	}
	for _, format := range []string{"", "xml", "JSON", " text"} {
		if _, err := NewLog(format, nil); err == nil {
			t.Errorf("%q is taken", format)
		}
	}
}
