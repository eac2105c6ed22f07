package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
)

// Selector describes a certificate in an operating system's store, as the official helper's
// --cert-selector does. A zero field matches anything; at least one is set.
type Selector struct {
	Subject, Issuer string   // distinguished names
	Serial          *big.Int // written in hexadecimal
}

// maxSelector bounds a selector file: three names.
const maxSelector = 64 << 10

// ReadSelector parses the value of --cert-selector: either the entries themselves or
// "file://PATH", a JSON file of them.
func ReadSelector(text string) (*Selector, error) {
	path, isFile := strings.CutPrefix(text, "file://")
	if !isFile {
		return ParseSelector(text)
	}
	data, err := Input{kind: fileInput, value: path}.read(nil, maxSelector)
	if err != nil {
		return nil, err
	}
	s, err := ParseSelectorJSON(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// ParseSelector parses "Key=x509Subject,Value=CN=a Key=x509Issuer,Value=CN=b". A value runs
// to the next " Key=", so names may hold spaces.
func ParseSelector(text string) (*Selector, error) {
	s := &Selector{}
	rest := " " + strings.TrimSpace(text)
	for rest != "" {
		rest = rest[len(" "):]
		entry := rest
		if end := strings.Index(rest, " Key="); end >= 0 {
			entry, rest = rest[:end], rest[end:]
		} else {
			rest = ""
		}
		key, value, ok := strings.Cut(entry, ",Value=")
		key, isKey := strings.CutPrefix(strings.TrimSpace(key), "Key=")
		if !ok || !isKey {
			return nil, fmt.Errorf("%q is not of the form Key=x509Subject,Value=NAME", strings.TrimSpace(entry))
		}
		if err := s.set(key, value); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// ParseSelectorJSON parses [{"Key": "x509Subject", "Value": "CN=a"}].
func ParseSelectorJSON(data []byte) (*Selector, error) {
	var entries []struct{ Key, Value string }
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&entries); err != nil {
		return nil, fmt.Errorf(`not a list like [{"Key": "x509Subject", "Value": "CN=..."}]: %w`, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("there is more after the list")
	}
	if len(entries) == 0 {
		return nil, errors.New("the list is empty")
	}
	s := &Selector{}
	for _, e := range entries {
		if err := s.set(e.Key, e.Value); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Selector) set(key, value string) error {
	value = strings.TrimSpace(value)
	if value == "" {
		return fmt.Errorf("%q has an empty value", key)
	}
	var field *string
	switch key {
	case "x509Subject":
		field = &s.Subject
	case "x509Issuer":
		field = &s.Issuer
	case "x509Serial":
		return s.setSerial(value)
	default:
		return fmt.Errorf("%q is none of x509Subject, x509Issuer and x509Serial", key)
	}
	if *field != "" {
		return fmt.Errorf("%s is there twice", key)
	}
	*field = value
	return nil
}

func (s *Selector) setSerial(value string) error {
	if s.Serial != nil {
		return errors.New("x509Serial is there twice")
	}
	const digits = "0123456789abcdefABCDEF"
	if strings.Trim(value, digits) != "" || len(value) > 64 {
		return fmt.Errorf("x509Serial %q is not a hexadecimal number", value)
	}
	s.Serial, _ = new(big.Int).SetString(value, 16)
	return nil
}

// String gives the selector in the form ParseSelector takes.
func (s *Selector) String() string {
	var entries []string
	if s.Subject != "" {
		entries = append(entries, "Key=x509Subject,Value="+s.Subject)
	}
	if s.Issuer != "" {
		entries = append(entries, "Key=x509Issuer,Value="+s.Issuer)
	}
	if s.Serial != nil {
		entries = append(entries, "Key=x509Serial,Value="+s.Serial.Text(16))
	}
	return strings.Join(entries, " ")
}
