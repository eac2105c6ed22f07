package rolesanywhere

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kedge/internal/emulator/arn"
	"kedge/internal/emulator/state"
)

// leafOf returns as much of a certificate as a subject is made of.
func leafOf(t *testing.T, name string, serial int64) *x509.Certificate {
	t.Helper()
	subject := pkix.Name{CommonName: name}
	raw, err := asn1.Marshal(subject.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	return &x509.Certificate{Subject: subject, RawSubject: raw, SerialNumber: big.NewInt(serial), Raw: raw}
}

// subjects returns the number of subjects, in memory and in the folder.
func subjects(t *testing.T, s *Store, dir string) (memory, files int) {
	t.Helper()
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(dir, Service, "subject-*.json"))
	if err != nil {
		t.Fatal(err)
	}
	return len(s.resources[KindSubject]), len(found)
}

// TestRecordSession_bounded: however many subjects there are, the store stays small; those that were seen last stay.
func TestRecordSession_bounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	name, err := arn.Parse(testAnchor, Service, string(KindTrustAnchor))
	if err != nil {
		t.Fatal(err)
	}
	anchor, now := &TrustAnchor{Base: Base{ARN: testAnchor, name: name}}, time.Unix(1_800_000_000, 0)
	record := func(host string) string {
		t.Helper()
		now = now.Add(time.Second)
		subject, refusal := s.RecordSession(anchor, leafOf(t, host, 1), now)
		if refusal != nil {
			t.Fatal(refusal)
		}
		return subject
	}
	folder := s.folder
	s.folder = state.Folder{} // the first ones are in memory only: 10,000 files take long
	first, second := record("first"), record("second")
	for i := range maxSubjects - 3 {
		record(fmt.Sprint("host-", i))
	}
	s.folder = folder
	record("stored")
	record("first") // seen again
	if err := os.WriteFile(filepath.Join(dir, Service, fileOf(KindSubject, second)+".json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	record("one more")
	memory, files := subjects(t, s, dir)
	if memory != maxSubjects-maxSubjects/10+1 || files != 3 { // stored, first, one more
		t.Errorf("%d subjects, %d files", memory, files)
	}
	if s.find(first) == nil || s.find(second) != nil {
		t.Error("the subject that was seen last is gone, or the one that was not is there")
	}
}
