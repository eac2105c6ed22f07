package emulator

import (
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
