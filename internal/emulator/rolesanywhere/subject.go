package rolesanywhere

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"slices"
	"time"

	"kedge/internal/emulator/arn"
	"kedge/internal/emulator/wire"
)

const (
	// maxSubjects bounds the subjects of all accounts. Ours, as the guide, "quotas", has no number; a tenth of them, those
	// that have not been seen for longest, makes room for a new one.
	maxSubjects = 10_000
	// maxCredentials bounds the certificates that a subject lists. Ours; the oldest are dropped.
	maxCredentials = 50
	// seenInterval bounds how often a subject is written into the state folder. Ours: a restart may
	// forget as much of lastSeenAt.
	seenInterval = time.Minute
)

// Subject is a subject name of certificates that have had sessions.
type Subject struct {
	Base        `json:",inline"`
	X509Subject string       `json:"x509Subject"`
	LastSeenAt  time.Time    `json:"lastSeenAt"`
	Credentials []Credential `json:"credentials"`

	savedAt time.Time
}

// Credential is a certificate of a subject, as CredentialSummary of the model.
type Credential struct {
	SeenAt          time.Time `json:"seenAt"`
	SerialNumber    string    `json:"serialNumber"` // decimal
	Issuer          string    `json:"issuer"`
	Enabled         bool      `json:"enabled"`
	CertificateData string    `json:"x509CertificateData"` // PEM
	Failed          bool      `json:"failed"`
}

func (s *Subject) copy() resource {
	c := *s
	c.Base = s.copyBase()
	c.Credentials = slices.Clone(s.Credentials)
	return &c
}

func (s *Subject) check() error { return s.parse(KindSubject) }

// subjectSummary is SubjectSummary of the model.
type subjectSummary struct {
	ARN         string    `json:"subjectArn"`
	ID          string    `json:"subjectId"`
	Enabled     bool      `json:"enabled"`
	X509Subject string    `json:"x509Subject"`
	LastSeenAt  time.Time `json:"lastSeenAt"`
	CreatedAt   time.Time `json:"createdAt"`
	UpdatedAt   time.Time `json:"updatedAt"`
}

func (s *Subject) summary() subjectSummary {
	return subjectSummary{s.ARN, s.id(), s.Enabled, s.X509Subject, s.LastSeenAt, s.CreatedAt, s.UpdatedAt}
}

// detail: the emulator takes no instance properties in CreateSession.
func (s *Subject) detail(string) any {
	return struct {
		subjectSummary     `json:",inline"`
		Credentials        []Credential `json:"credentials"`
		InstanceProperties []any        `json:"instanceProperties"`
	}{s.summary(), s.Credentials, nil}
}

// SubjectARN returns the ARN of the subject of a certificate. The service creates one for each subject
// name; deriving the UUID from the name's hash is ours.
func SubjectARN(anchor arn.ARN, leaf *x509.Certificate) string {
	sum := sha256.Sum256(append([]byte(anchor.Account+anchor.Region), leaf.RawSubject...))
	anchor.Resource = string(KindSubject) + "/" + wire.FormatUUID(sum[:])
	return anchor.String()
}

// RecordSession notes that a certificate has got a session through a trust anchor, and returns the ARN
// of its subject.
func (s *Store) RecordSession(a *TrustAnchor, leaf *x509.Certificate, now time.Time) (string, *wire.Error) {
	name, now := SubjectARN(a.name, leaf), now.UTC().Truncate(time.Microsecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	subject := &Subject{Base: Base{ARN: name, Enabled: true, CreatedAt: now, UpdatedAt: now}, X509Subject: leaf.Subject.String()}
	if before, ok := s.resources[KindSubject][name].(*Subject); ok {
		subject = before.copy().(*Subject)
	} else if err := s.makeRoom(); err != nil {
		return "", notStored(err)
	}
	isNew := subject.see(leaf, now)
	if !isNew && now.Sub(subject.savedAt).Abs() < seenInterval {
		s.use(subject)
		return name, nil
	}
	subject.savedAt = now
	if err := s.keepSubject(subject); err != nil {
		return "", notStored(err)
	}
	s.use(subject)
	return name, nil
}

// makeRoom drops subjects if there are too many, those first that have not been seen for longest.
func (s *Store) makeRoom() error {
	if len(s.resources[KindSubject]) < maxSubjects {
		return nil
	}
	all := slices.SortedFunc(maps.Values(s.resources[KindSubject]), func(a, b resource) int {
		return a.(*Subject).LastSeenAt.Compare(b.(*Subject).LastSeenAt)
	})
	for _, r := range all[:len(all)-maxSubjects+maxSubjects/10] {
		b := r.base()
		if err := s.folder.RemoveLater(fileOf(b.kind, b.ARN)); err != nil {
			return err
		}
		delete(s.resources[b.kind], b.ARN)
	}
	return nil
}

// keepSubject has a subject written into the state folder. A session does not wait for it.
func (s *Store) keepSubject(subject *Subject) error {
	if err := subject.check(); err != nil {
		return err
	}
	rec, err := s.record(subject)
	if err != nil {
		return err
	}
	return s.folder.WriteLater(fileOf(rec.Kind, rec.ARN), rec)
}

// see notes a certificate, and reports whether it is a new one.
func (s *Subject) see(leaf *x509.Certificate, now time.Time) bool {
	s.LastSeenAt = now
	serial, issuer := leaf.SerialNumber.String(), leaf.Issuer.String()
	for i, c := range s.Credentials {
		if c.SerialNumber == serial && c.Issuer == issuer {
			s.Credentials[i].SeenAt = now
			return false
		}
	}
	if len(s.Credentials) >= maxCredentials {
		s.Credentials = slices.Delete(s.Credentials, 0, 1)
	}
	s.Credentials = append(s.Credentials, Credential{
		SeenAt: now, SerialNumber: serial, Issuer: issuer, Enabled: true,
		CertificateData: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})),
	})
	return true
}
