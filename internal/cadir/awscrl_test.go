package cadir

import (
	"crypto/sha256"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestParseSettings_push: lists are pushed only if that is said, and a profile alone does not say it.
func TestParseSettings_push(t *testing.T) {
	t.Parallel()
	same := func(a, b AccountCRLSettings) bool {
		return a.Push == b.Push && a.Profile == b.Profile && maps.Equal(a.Profiles, b.Profiles)
	}
	for text, want := range map[string]AccountCRLSettings{
		"":                                      {},
		"aws: {crl: {push: true}}":              {Push: true},
		"aws: {crl: {push: true, profile: ca}}": {Push: true, Profile: "ca"},
		`aws: {crl: {profiles: {444455556666: b, "000000000001": c}}}`: {Profiles: map[string]string{"444455556666": "b", "000000000001": "c"}},
	} {
		s, err := ParseSettings([]byte(text))
		if err != nil || !same(s.AWS.CRL, want) {
			t.Errorf("%q: %+v, %v", text, s, err)
			continue
		}
		written, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseSettings(written); err != nil || !same(again.AWS.CRL, want) || strings.Count(string(written), meaning("aws.crl.push")) != 1 {
			t.Errorf("%q is written as\n%s", text, written)
		}
	}
	for text, want := range map[string]string{
		"aws: {crl: {profile: ca}}":          ": aws.crl.profile: nothing is pushed by itself without push: true",
		"aws: {crl: {interval: 1h}}":         `:1: unknown key "interval": there are push, profile, profiles`,
		"aws: {crl: {push: soon}}":           ":1: aws.crl.push: ",
		"aws: {crl: {profiles: {prod: ca}}}": `: aws.crl.profiles: "prod": "ca" is not the ID of an account`,
	} {
		if _, err := ParseSettings([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestPushRecord(t *testing.T) {
	t.Parallel()
	f := Folder{Dir: t.TempDir()}
	if r, err := f.PushRecord("ca", ireland); err != nil || *r != (PushRecord{}) {
		t.Errorf("%+v, %v", r, err)
	}
	sum := sha256.Sum256([]byte("a list"))
	r := PushRecord{ARN: "arn", Number: 3, NextUpdate: time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)}
	if r.Is(sum[:], "") {
		t.Error("a record without a hash is about a list")
	}
	r.SetIs(sum[:], "anchor")
	for range 2 {
		if err := f.WritePushRecord("ca", ireland, &r); err != nil {
			t.Fatal(err)
		}
	}
	got, err := f.PushRecord("ca", ireland)
	if err != nil || *got != r || !got.Is(sum[:], "anchor") || got.Is(sum[1:], "anchor") || got.Is(sum[:], "another") {
		t.Errorf("%+v, %v", got, err)
	}
	if err := os.WriteFile(f.PushRecordPath("ca", ireland), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.PushRecord("ca", ireland); err == nil || !strings.HasPrefix(err.Error(), f.PushRecordPath("ca", ireland)+" is damaged: ") {
		t.Error(err)
	}
}

// TestPushRecord_former: the record of the time when a CA had one place is that of its place.
func TestPushRecord_former(t *testing.T) {
	t.Parallel()
	f := Folder{Dir: t.TempDir()}
	if err := f.MakeCRLFolder(); err != nil {
		t.Fatal(err)
	}
	former := filepath.Join(filepath.Dir(f.PushLockPath()), "ca.pushed")
	if err := os.WriteFile(former, []byte(`{"crl_arn": "`+crlARN+`", "trust_anchor_arn": "`+anchorARN+`", "number": 3}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for place, want := range map[Place]int64{ireland: 3, virginia: 0} {
		if r, err := f.PushRecord("ca", place); err != nil || r.Number != want {
			t.Errorf("%s: %+v, %v", place, r, err)
		}
	}
	if err := f.WritePushRecord("ca", ireland, &PushRecord{Number: 4}); err != nil {
		t.Fatal(err)
	}
	if r, err := f.PushRecord("ca", ireland); err != nil || r.Number != 4 {
		t.Errorf("%+v, %v", r, err)
	}
}
