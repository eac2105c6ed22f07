package cadir

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"kedge/ca"
	"kedge/internal/spelling"
	"kedge/internal/yamlfile"
)

// Settings is the configuration of a CA: kedge-ca.yaml in its folder, or another file. Without a
// file every key has its default. It is valid, and not changed once it is read.
type Settings struct {
	// Ledger is where the ledger is: a path below the CA's folder, a PostgreSQL URL
	// (postgres://USER@HOST/DATABASE; a password is better left to PGPASSFILE or PGPASSWORD),
	// or env:NAME, a variable that holds either. Default: ledger.db.
	Ledger string `yaml:"ledger"`
	// DefaultProfile is the profile of what is issued without --profile. Default: workload,
	// which is there as long as no profile is listed under profiles.
	DefaultProfile string `yaml:"default_profile"`
	// Profiles say what is issued, and how hosts get it.
	Profiles map[string]ProfileSettings `yaml:"profiles"`
	// Server specifies how hosts reach the CA.
	Server ServerSettings `yaml:"server"`
	// AWS specifies what hosts should have in an account at AWS.
	AWS AccountSettings `yaml:"aws"`
	// Notify specifies where kedge-ca serve reports what an operator should know.
	Notify NotifySettings `yaml:"notify"`
	// CRL specifies how revocation lists are made.
	CRL CRLSettings `yaml:"crl"`
	// Expiry specifies which leaves that no other has replaced are reported.
	Expiry ExpirySettings `yaml:"expiry"`

	file string // it was read from; empty where there is none
}

// CRLSettings say how revocation lists are made.
type CRLSettings struct {
	// Valid is the time from thisUpdate to nextUpdate of a list. Default: 168h.
	Valid ca.Duration `yaml:"valid"`
	// URLs are where lists are fetched from, for certificates whose profile names no others.
	URLs []string `yaml:"urls"`
}

// ExpirySettings say which leaves without successor status, expiring and issue --from report.
type ExpirySettings struct {
	// Warn is when a leaf is nearly expired: the part of its life that is left then, such as
	// 25%, or the time, such as 8h. Default: 25%.
	Warn LifeLeft `yaml:"warn"`
	// Forget is how long after its end a leaf is still reported. Default: 30d.
	Forget ca.Duration `yaml:"forget"`
}

// LifeLeft is a part of a certificate's life, or a time before its end. One of the two is set.
type LifeLeft struct {
	Percent int
	Before  time.Duration
}

// UnmarshalText parses a percentage or a duration.
func (l *LifeLeft) UnmarshalText(text []byte) error {
	digits, isPercent := strings.CutSuffix(string(text), "%")
	if !isPercent {
		d, err := ca.ParseDuration(string(text))
		if err != nil || d <= 0 {
			return fmt.Errorf("%q is neither a part of a life, such as 25%%, nor a time, such as 8h or 2d", text)
		}
		*l = LifeLeft{Before: d}
		return nil
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > 99 {
		return fmt.Errorf("%q is not between 1%% and 99%%", text)
	}
	*l = LifeLeft{Percent: n}
	return nil
}

// MarshalText writes what UnmarshalText reads; nothing for the zero value.
func (l LifeLeft) MarshalText() ([]byte, error) {
	switch {
	case l.Percent > 0:
		return fmt.Appendf(nil, "%d%%", l.Percent), nil
	case l.Before > 0:
		return ca.Duration(l.Before).MarshalText()
	}
	return nil, nil
}

const (
	// SettingsName is the name of the configuration in the CA's folder.
	SettingsName  = "kedge-ca.yaml"
	maxSettings   = 1 << 20
	defaultLedger = "ledger.db"
	defaultValid  = 168 * time.Hour
	defaultWarn   = 25 // percent
	defaultForget = 30 * 24 * time.Hour
)

// ParseSettings is strict: unknown keys, keys that are there twice, values of another kind and
// a second document are errors. Their texts begin with ":LINE: " or ": ".
func ParseSettings(data []byte) (*Settings, error) {
	s := new(Settings)
	if err := decodeStrictly(data, s); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s.complete(), nil
}

// check refuses values that are of the right kind and make no sense.
func (s *Settings) check() error {
	if err := s.CRL.check(); err != nil {
		return fmt.Errorf(": crl.%w", err)
	}
	names := slices.Sorted(maps.Keys(s.Profiles))
	if len(names) > 0 && names[0] == "" {
		return errors.New(": profiles: a profile needs a name")
	}
	if s.DefaultProfile != "" {
		names = append(names, s.DefaultProfile)
	}
	for _, name := range names {
		if _, err := s.Profile(name); err != nil {
			return fmt.Errorf(": %w", err)
		}
		if err := s.Profiles[name].Enroll.check(); err != nil {
			return fmt.Errorf(": profile %q: enroll.%w", name, err)
		}
	}
	if err := s.Server.check(); err != nil {
		return fmt.Errorf(": server.%w", err)
	}
	if err := s.checkLabels(); err != nil {
		return fmt.Errorf(": server.%w", err)
	}
	if err := s.AWS.Check(); err != nil {
		return fmt.Errorf(": aws.%w", err)
	}
	if err := s.Notify.check(); err != nil {
		return fmt.Errorf(": notify.%w", err)
	}
	if s.Expiry.Forget < 0 {
		return fmt.Errorf(": expiry.forget: %v is no time", time.Duration(s.Expiry.Forget))
	}
	return nil
}

func (c CRLSettings) check() error {
	for _, text := range c.URLs {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("urls: %q is not a URL of http or https", text)
		}
	}
	if c.Valid < 0 {
		return fmt.Errorf("valid: %v must be positive", c.Valid)
	}
	return nil
}

func (s *Settings) complete() *Settings {
	if s.Ledger == "" {
		s.Ledger = defaultLedger
	}
	if s.CRL.Valid == 0 {
		s.CRL.Valid = ca.Duration(defaultValid)
	}
	if s.Server.TLS == "" {
		s.Server.TLS = TLSOwn
	}
	s.AWS = s.AWS.Complete()
	s.Server.Hook = s.Server.Hook.complete()
	s.Server.Limits, s.Notify = s.Server.Limits.complete(), s.Notify.complete()
	if aws, err := s.Server.AWS.complete(); err == nil { // it was checked before
		s.Server.AWS = aws
	}
	if s.Expiry.Warn == (LifeLeft{}) {
		s.Expiry.Warn.Percent = defaultWarn
	}
	if s.Expiry.Forget == 0 {
		s.Expiry.Forget = ca.Duration(defaultForget)
	}
	return s
}

// decodeStrictly fills to from a document, in which each key is known and there once.
func decodeStrictly(data []byte, to any) error {
	top, err := yamlfile.Parse(data)
	if wrong, ok := errors.AsType[*yamlfile.Error](err); ok {
		if wrong.Line == 0 {
			return errors.New(": " + wrong.Problem)
		}
		return fmt.Errorf(":%d: %s", wrong.Line, wrong.Problem)
	}
	if top == nil {
		return nil
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(to); err != nil {
		return settingsError(data, err, reflect.TypeOf(to))
	}
	return nil
}

// settingsError returns ":LINE: KEY: what is wrong" in the words of this program, as far as the key is known,
// for a configuration of a type.
func settingsError(data []byte, err error, t reflect.Type) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if wrong, ok := errors.AsType[*yaml.TypeError](err); ok {
		text = wrong.Errors[0]
	}
	line := ""
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		line, text, _ = strings.Cut(rest, ": ")
	}
	if key, ok := strings.CutPrefix(text, "field "); ok {
		key, group, _ := strings.Cut(key, " not found in type ")
		text = fmt.Sprintf("unknown key %q", key)
		if known := knownKeys(t, group); known != nil {
			text += ": " + spelling.DidYouMean(key, known) + "there are " + strings.Join(known, ", ")
		}
	}
	if strings.HasSuffix(text, "into cadir.ESTSettings") {
		text = "server.est takes keys: est: {enabled: true}"
	}
	at := place{line: line}
	if value, ok := strings.CutPrefix(text, "cannot unmarshal "); ok {
		_, value, _ = strings.Cut(value, " ")
		value, _, _ = strings.Cut(value, "into ")
		value = strings.TrimSpace(value)
		at = at.ofMistyped(data, value)
		text = fmt.Sprintf("%s is not what this key takes", cmp.Or(value, "a list or a group of keys"))
	}
	if line == "" {
		at = placeOfRefused(data, text)
	}
	return fmt.Errorf("%s%s", at, text)
}
