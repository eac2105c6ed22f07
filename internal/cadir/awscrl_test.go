package cadir

import (
	"crypto/sha256"
	"os"
	"strings"
	"testing"
	"time"
)

// TestParseSettings_push: lists are pushed only if that is said, and a profile alone does not say it.
func TestParseSettings_push(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]AccountCRLSettings{
		"":                                      {},
		"aws: {crl: {push: true}}":              {Push: true},
		"aws: {crl: {push: true, profile: ca}}": {Push: true, Profile: "ca"},
	} {
		s, err := ParseSettings([]byte(text))
		if err != nil || s.AWS.CRL != want {
			t.Errorf("%q: %+v, %v", text, s, err)
			continue
		}
		written, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseSettings(written); err != nil || again.AWS.CRL != want || strings.Count(string(written), meaning("aws.crl.push")) != 1 {
			t.Errorf("%q is written as\n%s", text, written)
		}
	}
	for text, want := range map[string]string{
		"aws: {crl: {profile: ca}}": ": aws.crl.profile: nothing is pushed by itself without push: true",
		"aws: {crl: {pull: true}}":  `:1: unknown key "pull": there are push, profile`,
		"aws: {crl: {push: soon}}":  ":1: aws.crl.push: ",
	} {
		if _, err := ParseSettings([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestPushRecord(t *testing.T) {
	t.Parallel()
	f := Folder{Dir: t.TempDir()}
	if r, err := f.PushRecord("ca"); err != nil || *r != (PushRecord{}) {
		t.Errorf("%+v, %v", r, err)
	}
	sum := sha256.Sum256([]byte("a list"))
	r := PushRecord{ARN: "arn", Number: 3, NextUpdate: time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)}
	if r.Is(sum[:], "") {
		t.Error("a record without a hash is about a list")
	}
	r.SetIs(sum[:], "anchor")
	for range 2 {
		if err := f.WritePushRecord("ca", &r); err != nil {
			t.Fatal(err)
		}
	}
	got, err := f.PushRecord("ca")
	if err != nil || *got != r || !got.Is(sum[:], "anchor") || got.Is(sum[1:], "anchor") || got.Is(sum[:], "another") {
		t.Errorf("%+v, %v", got, err)
	}
	if err := os.WriteFile(f.PushRecordPath("ca"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.PushRecord("ca"); err == nil || !strings.HasPrefix(err.Error(), f.PushRecordPath("ca")+" is damaged: ") {
		t.Error(err)
	}
}
