package emulator

import "maps"

// sessionOf is what sessions of one host through one profile and role have in common.
type sessionOf struct{ subject, profile, assumed string }

func (s *Session) of() sessionOf { return sessionOf{s.SubjectARN, s.ProfileARN, s.AssumedRoleARN} }

// share lets a session have what it has in common with the previous one of its host, as the same strings and the same map: of
// many sessions, only the keys need memory. The caller holds the lock.
func (s *store) share(session *Session) {
	before := s.last[session.of()]
	if before != nil {
		for _, f := range []struct{ own, shared *string }{
			{&session.RoleARN, &before.RoleARN},
			{&session.AssumedRoleARN, &before.AssumedRoleARN},
			{&session.UserID, &before.UserID},
			{&session.Account, &before.Account},
			{&session.SourceIdentity, &before.SourceIdentity},
			{&session.SubjectARN, &before.SubjectARN},
			{&session.TrustAnchorARN, &before.TrustAnchorARN},
			{&session.ProfileARN, &before.ProfileARN},
			{&session.SerialNumber, &before.SerialNumber},
			{&session.Policy, &before.Policy},
		} {
			if *f.own == *f.shared {
				*f.own = *f.shared
			}
		}
		if maps.Equal(session.Tags, before.Tags) {
			session.Tags = before.Tags
		}
	}
	s.last[session.of()] = session
}

// forget drops what share keeps of a session. The caller holds the lock.
func (s *store) forget(session *Session) {
	if s.last[session.of()] == session {
		delete(s.last, session.of())
	}
}
