package signer

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"
)

// valid sets the validity, relative to noon.
func valid(from, to time.Duration) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = noon.Add(from), noon.Add(to) }
}

// It is noon at the service, and some other time here.
func TestLoad_serviceTime(t *testing.T) {
	root := mint(t, "root", nil, asCA, valid(-1000*time.Hour, 1000*time.Hour))
	unknown := errors.New("no answer")
	fresh, long, old := valid(-time.Minute, time.Hour), valid(-100*time.Hour, 100*time.Hour), valid(-100*time.Hour, -time.Minute)
	early := valid(time.Hour, 2*time.Hour)
	for _, tt := range []struct {
		name     string
		validity func(*x509.Certificate)
		here     time.Duration
		err      error // of the question
		asked    int
		want     string // of the error
	}{
		{"fresh, right clock", fresh, 0, nil, 0, ""},
		{"fresh, behind", fresh, -5 * time.Minute, nil, 1, ""},
		{"fresh, ahead", fresh, 48 * time.Hour, nil, 1, ""},
		{"fresh, at 1970", fresh, -noon.Sub(time.Unix(0, 0)), nil, 1, ""},
		{"long, ahead", long, 48 * time.Hour, nil, 0, ""},
		{"long, far ahead", long, 480 * time.Hour, nil, 1, ""},
		{"old, right clock", old, 0, nil, 1, "expired at 2026-"},
		{"old, ahead", old, 48 * time.Hour, nil, 1, "expired at 2026-"},
		{"old, at 1970", old, -noon.Sub(time.Unix(0, 0)), nil, 1, "expired at 2026-"},
		{"old, behind: the service will say it", old, -time.Hour, nil, 0, ""},
		{"early, behind", early, -time.Hour, nil, 1, "not valid before"},
		{"fresh, behind, nobody knows", fresh, -5 * time.Minute, unknown, 1, "now; the service's time is not known: no answer"},
		{"old, nobody knows", old, 0, unknown, 1, "now; the service's time is not known: no answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := pair(t, t.TempDir(), mint(t, "leaf", root, tt.validity))
			asked, skew := 0, time.Duration(0)
			files.Now = func() time.Time { return noon.Add(tt.here + skew) }
			files.ServiceTime = func() (time.Time, error) {
				asked++
				if tt.err == nil {
					skew = -tt.here
				}
				return noon, tt.err // even with the error: a time that would do
			}
			id, err := Load(files)
			if asked != tt.asked || (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("asked %d times, %v, want %d and %q", asked, err, tt.asked, tt.want)
			}
			if err != nil {
				var validity *ValidityError
				if !errors.As(err, &validity) || tt.err != nil && !errors.Is(err, tt.err) {
					t.Errorf("the error is %T", err)
				}
				return
			}
			if err := id.CheckTime(files.Now()); err != nil && tt.asked > 0 {
				t.Errorf("by the clock from then on: %v", err)
			}
		})
	}
}

// A source whose clock is found to be wrong while it is used goes on by the service's.
func TestFileSource_serviceTime(t *testing.T) {
	root := mint(t, "root", nil, asCA, valid(-1000*time.Hour, 1000*time.Hour))
	files := pair(t, t.TempDir(), mint(t, "leaf", root, valid(-time.Hour, time.Hour)))
	here, skew, known := noon, time.Duration(0), true
	files.Now = func() time.Time { return here.Add(skew) }
	files.ServiceTime = func() (time.Time, error) {
		if !known {
			return time.Time{}, errors.New("no answer")
		}
		skew = noon.Sub(here)
		return noon, nil
	}
	source, err := NewFileSource(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []time.Duration{0, 48 * time.Hour, 0, -48 * time.Hour, -48 * time.Hour} {
		here = noon.Add(set)
		if got := commonName(t, source); got != "leaf" {
			t.Errorf("clock set by %s: %q", set, got)
		}
	}
	here, known = noon.Add(480*time.Hour), false
	var validity *ValidityError
	if _, err := source.Identity(t.Context()); !errors.As(err, &validity) || !validity.Expired() {
		t.Errorf("nobody knows: %v", err)
	}
}
