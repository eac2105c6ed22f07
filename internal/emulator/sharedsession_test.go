package emulator

import (
	"context"
	"slices"
	"testing"
	"time"
	"unsafe"
)

// TestStore_share: a session has what it has in common with the one before it in the same memory, and nothing that
// differs; after the end of both nothing is kept.
func TestStore_share(t *testing.T) {
	t.Parallel()
	s, err := openStore("")
	if err != nil {
		t.Fatal(err)
	}
	session := func(at time.Time, cn string) *Session {
		made := newSession(at, time.Hour)
		made.SubjectARN, made.AssumedRoleARN, made.SourceIdentity = "subject-"+cn[:3], "assumed", "CN="+cn
		made.Tags = map[string]string{"x509Subject/CN": cn}
		if err := s.add(made); err != nil {
			t.Fatal(err)
		}
		return made
	}
	same := func(a, b string) bool { return unsafe.StringData(a) == unsafe.StringData(b) }
	first, second, other := session(testNow, "web-1"), session(testNow, "web-1"), session(testNow, "web-2")
	if !same(first.SubjectARN, second.SubjectARN) || !same(first.SourceIdentity, second.SourceIdentity) {
		t.Error("two sessions of a host have their strings twice")
	}
	second.Tags["mark"] = "here"
	if first.Tags["mark"] != "here" {
		t.Error("two sessions of a host have their tags twice")
	}
	if other.Tags["x509Subject/CN"] != "web-2" || other.SourceIdentity != "CN=web-2" || other.Tags["mark"] != "" {
		t.Errorf("a session has what another one has: %+v", other)
	}
	if first.AccessKeyID == second.AccessKeyID || first.secretAccessKey == second.secretAccessKey {
		t.Error("two sessions have one key")
	}
	session(testNow.Add(48*time.Hour), "new-1")
	if len(s.byKey) != 1 || len(s.last) != 1 {
		t.Errorf("%d sessions and %d to share with, want 1 of each", len(s.byKey), len(s.last))
	}
}

// TestStore_limit: above the limit the oldest session goes, in the state folder as well; a restart keeps the youngest.
func TestStore_limit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open := func() *store {
		s, err := openStore(dir)
		if err != nil {
			t.Fatal(err)
		}
		s.limit = 3
		return s
	}
	s := open()
	var keys []string
	add := func(at time.Time) {
		t.Helper()
		made := newSession(at, time.Hour)
		made.AssumedRoleARN, made.UserID, made.Account = "assumed", "user", "111122223333"
		if err := s.add(made); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, made.AccessKeyID)
	}
	check := func(when string, from int) {
		t.Helper()
		var have []string
		for _, session := range s.all() {
			have = append(have, session.AccessKeyID)
		}
		if want := keys[from:]; !slices.Equal(have, want) {
			t.Errorf("%s: %q, want %q", when, have, want)
		}
	}
	for i := range 5 {
		add(testNow.Add(time.Duration(i) * time.Second))
	}
	check("five", 2)
	if err := s.files.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = open()
	check("after a restart", 2)
	t.Cleanup(func() { _ = s.files.Flush(context.Background()) }) // before the folder is removed
	add(testNow.Add(10 * time.Second))
	check("one more", 3)
	add(testNow.Add(48 * time.Hour))
	check("two days later", 6)
	if len(s.order) != 1 {
		t.Errorf("the order of %d sessions is kept", len(s.order))
	}
}

// TestStore_shareRestart: sessions that are read from the state folder share as well.
func TestStore_shareRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := openStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		made := assumedSession()
		made.Tags = map[string]string{"x509Subject/CN": "web-1"}
		if err := s.add(made); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.files.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, err = openStore(dir); err != nil {
		t.Fatal(err)
	}
	all := s.all()
	if len(all) != 2 {
		t.Fatalf("%d sessions", len(all))
	}
	all[0].Tags["mark"] = "here"
	if all[1].Tags["mark"] != "here" {
		t.Error("two sessions of a host have their tags twice after a restart")
	}
}
