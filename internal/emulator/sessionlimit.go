package emulator

import "slices"

// maxSessions bounds the memory of a long run, to about 100 MiB of sessions. At one more, the oldest is dropped: its key
// is unknown from then on (InvalidClientTokenId). Ours; AWS keeps none.
const maxSessions = 50_000

// keep adds a session, and drops the oldest ones above the limit. The caller holds the lock.
func (s *store) keep(session *Session) {
	s.share(session)
	s.byKey[session.AccessKeyID] = session
	s.order = append(s.order, session.AccessKeyID)
	for len(s.byKey) > s.limit {
		oldest := s.byKey[s.order[0]]
		s.order = s.order[1:]
		if oldest != nil {
			s.drop(oldest)
		}
	}
}

// drop deletes a session. The caller holds the lock.
func (s *store) drop(session *Session) {
	delete(s.byKey, session.AccessKeyID)
	s.forget(session)
	if s.dir != "" {
		_ = s.files.Later(s.path(session), nil) // if that fails, it is read and dropped again
	}
}

// tidy forgets the order of the sessions that sweep has dropped. The caller holds the lock.
func (s *store) tidy() {
	s.order = slices.DeleteFunc(s.order, func(key string) bool { return s.byKey[key] == nil })
}
