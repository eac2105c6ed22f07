package cadir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/ca"
)

func TestParseSettings(t *testing.T) {
	t.Parallel()
	s, err := ParseSettings([]byte("ledger: db/ledger.db\ndefault_profile: web\nprofiles: {web: {key_types: [P-256]}}\ncrl: {valid: 3d, urls: [http://crl.example.com/ca.crl]}\n"))
	if err != nil || s.Ledger != "db/ledger.db" || s.DefaultProfile != "web" || time.Duration(s.CRL.Valid) != 72*time.Hour || len(s.CRL.URLs) != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	for _, empty := range []string{"", "# nothing\n", "{}"} {
		if s, err := ParseSettings([]byte(empty)); err != nil || s.Ledger != "ledger.db" || time.Duration(s.CRL.Valid) != 168*time.Hour {
			t.Errorf("%q: %+v, %v", empty, s, err)
		}
	}
}

func TestParseSettings_expiry(t *testing.T) {
	t.Parallel()
	const month = 30 * 24 * time.Hour
	for text, want := range map[string]ExpirySettings{
		"":                        {LifeLeft{Percent: 25}, ca.Duration(month)},
		"expiry: {warn: 10%}\n":   {LifeLeft{Percent: 10}, ca.Duration(month)},
		"expiry: {warn: 2d}\n":    {LifeLeft{Before: 48 * time.Hour}, ca.Duration(month)},
		"expiry:\n  forget: 1d\n": {LifeLeft{Percent: 25}, ca.Duration(24 * time.Hour)},
		"expiry: {warn: 0.5h}\n":  {LifeLeft{Before: 30 * time.Minute}, ca.Duration(month)},
	} {
		s, err := ParseSettings([]byte(text))
		if err != nil || s.Expiry != want {
			t.Errorf("%q: %+v, %v", text, s, err)
			continue
		}
		var again LifeLeft
		if written, err := want.Warn.MarshalText(); err != nil || again.UnmarshalText(written) != nil || again != want.Warn {
			t.Errorf("%q: %s, %v", text, written, err)
		}
	}
}

func TestParseSettings_refuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, want string }{
		{"legder: x\n", `:1: unknown key "legder"`},
		{"crl:\n  valit: 1h\n", `:2: unknown key "valit": did you mean valid? there are valid, urls`},
		{"ledger: a\nledger: b\n", ":2: ledger is there twice: first in line 1"},
		{"a: b: c\n", ":1: a text with a colon before a space or at its end needs quotes, or the indentation does not fit the lines before"},
		{"crl:\n\tvalid: 1h\n", ":2: is indented by a tab: write spaces"},
		{"crl: {urls: [\n", ":1: has no value where one is expected"},
		{"ledger: *q\n", ":1: there is no anchor 'q'"},
		{"profiles: {\"a\\e[2K\": {lifetime: {max: 5}}}\n", `:1: profiles."a\x1b[2K".lifetime.max: "5" is not a duration`},
		{"ledger: [a]\n", ":1: ledger: a list or a group of keys is not what this key takes"},
		{"crl: 12\n", ":1: crl: `12` is not what this key takes"},
		{"crl:\n  valid: soon\n", `:2: crl.valid: "soon" is not a duration; write hours or days, such as 24h or 30d`},
		{"# 5\nledger: '5'\nprofiles:\n  a:\n    lifetime:\n      max: 5\n", `:6: profiles.a.lifetime.max: "5" is not a duration`},
		{"crl:\n  valid: 0\n", `:2: crl.valid: "0" must not be zero; leave it out for the default`},
		{"crl: {valid: 0s}\n", `:1: crl.valid: "0s" must not be zero`},
		{"expiry: {warn: soon}\n", `:1: expiry.warn: "soon" is neither a part of a life, such as 25%, nor a time, such as 8h or 2d`},
		{"expiry:\n  warn: 0%\n", `:2: expiry.warn: "0%" is not between 1% and 99%`},
		{"expiry: {warn: 100%}\n", `:1: expiry.warn: "100%" is not between 1% and 99%`},
		{"expiry: {warn: -8h}\n", `:1: expiry.warn: "-8h" is neither`},
		{"expiry: {warn: 25}\n", `:1: expiry.warn: "25" is neither`},
		{"expiry: {warm: 8h}\n", `:1: unknown key "warm"`},
		{"expiry: {forget: never}\n", `:1: expiry.forget: "never" is not a duration`},
		{"expiry: {forget: -1h}\n", ": expiry.forget: -1h0m0s is no time"},
		{"profiles: {'': {}}\n", ": profiles: a profile needs a name"},
		{"crl: {valid: -1h}\n", ": crl.valid: -1h must be positive"},
		{"crl: {urls: [ftp://example.com]}\n", `: crl.urls: "ftp://example.com" is not a URL of http or https`},
		{"profiles: {web: {san: {dns: [\"*.example.com\"], dnss: []}}}\n", `:1: unknown key "dnss": did you mean dns? there are dns, `},
		{"profiles: {web: {lifetime: {default: 48h, max: 24h}}}\n", `: profile "web": lifetime.default: 2d is more than lifetime.max, 24h`},
		{"default_profile: web\n", `: there is no profile "web" in the configuration`},
		{"ledger: a\n---\nledger: b\n", ":2: a second document cannot follow"},
		{"ledger: 'a\n", ":"},
		{"\tledger: a\n", ":"},
	}
	for _, tt := range tests {
		if s, err := ParseSettings([]byte(tt.text)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q: %+v, %v, want %s", tt.text, s, err, tt.want)
		}
	}
}

func TestSettings_file(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := Folder{Dir: dir}
	if s, err := f.Settings(); err != nil || s.Ledger != "ledger.db" {
		t.Errorf("without a file: %+v, %v", s, err)
	}
	named := Folder{Dir: dir, Config: filepath.Join(dir, "other.yaml")}
	if _, err := named.Settings(); !os.IsNotExist(err) {
		t.Errorf("a named file that is not there: %v", err)
	}
	path := filepath.Join(dir, "kedge-ca.yaml")
	if err := os.WriteFile(path, []byte("a: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Settings(); err == nil || err.Error() != path+`:1: unknown key "a": there are ledger, default_profile, profiles, server, aws, notify, crl, expiry` {
		t.Error(err)
	}
	if err := os.WriteFile(path, make([]byte, maxSettings+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Settings(); err == nil || err.Error() != path+" is larger than 1024 KiB" {
		t.Error(err)
	}
}

func TestLedgerPlace(t *testing.T) {
	t.Setenv("KEDGE_TEST_LEDGER", "postgres://kedge:secret@db/ca")
	dir := t.TempDir()
	f := Folder{Dir: dir}
	if err := os.WriteFile(f.SettingsPath(), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	wrong := f.SettingsPath() + ": ledger: it is neither a path nor an address that begins with postgres://"
	tests := []struct {
		ledger, want string
		warned       bool
		err          string
	}{
		{"ledger.db", filepath.Join(dir, "ledger.db"), false, ""},
		{filepath.Join(dir, "x.db"), filepath.Join(dir, "x.db"), false, ""},
		{"postgres://kedge@db/ca", "postgres://kedge@db/ca", false, ""},
		{"postgres://kedge:secret@db/ca", "postgres://kedge:secret@db/ca", true, ""},
		{"postgres://db/ca?password=secret", "postgres://db/ca?password=secret", true, ""},
		{"env:KEDGE_TEST_LEDGER", "postgres://kedge:secret@db/ca", false, ""},
		{"postgresql:/kedge:secret@db/ca", "", false, wrong},
		{"Postgres://kedge:secret@db/ca", "", false, wrong},
		{"mysql://kedge:secret@db/ca", "", false, wrong},
		{"host=db user=kedge password=secret", "", false, wrong},
		{"env:KEDGE_TEST_NOTHING", "", false, f.SettingsPath() + ": ledger: environment variable KEDGE_TEST_NOTHING is not set"},
	}
	for _, tt := range tests {
		got, warnings, err := f.LedgerPlace(&Settings{Ledger: tt.ledger}, nil)
		if got != tt.want || (len(warnings) > 0) != tt.warned || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%s: %q, %q, %v", tt.ledger, got, warnings, err)
		}
		if strings.Contains(strings.Join(warnings, ""), ":secret") {
			t.Errorf("%s: the password is in %q", tt.ledger, warnings)
		}
	}
}

// The built-in profile names anyone: it would be a way around those of a configuration.
func TestSettings_noWayAround(t *testing.T) {
	s, err := ParseSettings([]byte("profiles: {web: {names: [\"web-*\"]}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "workload"} {
		if _, err := s.Profile(name); err == nil || err.Error() != `there is no profile "workload" in the configuration` {
			t.Errorf("profile %q: %v", name, err)
		}
	}
	if _, err := s.Profile("web"); err != nil {
		t.Error(err)
	}
}
