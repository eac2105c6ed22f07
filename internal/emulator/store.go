package emulator

import (
	"cmp"
	"encoding/json/v2"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"kedge/internal/emulator/state"
)

// keepExpired is how long an expired session is kept (ExpiredToken) before it is dropped
// (InvalidClientTokenId). Ours.
const keepExpired = 24 * time.Hour

// store holds the sessions, in memory and, when dir is set, in one file (0600) each.
type store struct {
	mu    sync.Mutex
	byKey map[string]*Session
	order []string               // their keys, the oldest first, and those of some that were dropped
	limit int                    // how many there may be
	last  map[sessionOf]*Session // see share
	dir   string
	files state.Writer
	swept time.Time
}

// storedSession is a session's file.
type storedSession struct {
	Session         `json:",inline"`
	SecretAccessKey string `json:"secretAccessKey"`
	SessionToken    string `json:"sessionToken"`
}

// missing returns the name of a required field that is empty.
func (s *storedSession) missing() string {
	for _, f := range []struct {
		name string
		ok   bool
	}{
		{"secretAccessKey", s.SecretAccessKey != ""},
		{"sessionToken", s.SessionToken != ""},
		{"assumedRoleArn", s.AssumedRoleARN != ""},
		{"userId", s.UserID != ""},
		{"account", s.Account != ""},
		{"issued", !s.Issued.IsZero()},
		{"expiration", !s.Expiration.IsZero()},
	} {
		if !f.ok {
			return f.name
		}
	}
	return ""
}

// openStore reads the sessions of an earlier run from the folder's "sessions", which is created if
// missing.
func openStore(stateDir string) (*store, error) {
	s := &store{byKey: map[string]*Session{}, limit: maxSessions, last: map[sessionOf]*Session{}}
	if stateDir == "" {
		return s, nil
	}
	s.dir = filepath.Join(stateDir, "sessions")
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.Chmod(s.dir, 0o700); err != nil { // an existing one may be accessible to others
		return nil, err
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var found []*Session
	for _, entry := range entries {
		path := filepath.Join(s.dir, entry.Name())
		if strings.HasPrefix(entry.Name(), ".ASIA") { // what a killed process left unfinished
			if err := os.Remove(path); err != nil {
				return nil, err
			}
			continue
		}
		if !strings.HasPrefix(entry.Name(), "ASIA") || filepath.Ext(entry.Name()) != ".json" {
			continue // not ours
		}
		session, err := readSession(path)
		if err != nil {
			return nil, &state.FileError{Path: path, Err: err}
		}
		found = append(found, session)
	}
	slices.SortFunc(found, bySessionTime)
	for _, session := range found {
		s.keep(session)
	}
	return s, nil
}

func readSession(path string) (*Session, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var stored storedSession
	if err := json.Unmarshal(data, &stored, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("not a session of the emulator: %w", err)
	}
	if stored.AccessKeyID+".json" != filepath.Base(path) {
		return nil, fmt.Errorf("not a session of the emulator: its accessKeyId is %q", stored.AccessKeyID)
	}
	if field := stored.missing(); field != "" {
		return nil, fmt.Errorf("not a session of the emulator: it has no %s", field)
	}
	session := stored.Session
	session.secretAccessKey, session.sessionToken = stored.SecretAccessKey, stored.SessionToken
	return &session, nil
}

// add stores a session. Its file is written while the caller goes on; see [state.Writer].
func (s *store) add(session *Session) error {
	if s.dir != "" {
		data, err := json.Marshal(storedSession{*session, session.secretAccessKey, session.sessionToken})
		if err != nil {
			return err
		}
		if err := s.files.Later(s.path(session), data); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(session.Issued)
	s.keep(session)
	return nil
}

// sweep drops, at most once a minute, sessions that expired long ago.
func (s *store) sweep(now time.Time) {
	if now.Sub(s.swept).Abs() < time.Minute {
		return
	}
	s.swept = now
	for _, session := range s.byKey {
		if now.Sub(session.Expiration) > keepExpired {
			s.drop(session)
		}
	}
	s.tidy()
}

func (s *store) path(session *Session) string {
	return filepath.Join(s.dir, session.AccessKeyID+".json")
}

// find returns the session of an access key id, or nil.
func (s *store) find(accessKeyID string) *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byKey[accessKeyID]
}

// all returns the sessions, the oldest first.
func (s *store) all() []Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	sorted := slices.SortedFunc(maps.Values(s.byKey), bySessionTime)
	result := make([]Session, 0, len(sorted))
	for _, session := range sorted {
		result = append(result, *session)
	}
	return result
}

func bySessionTime(a, b *Session) int {
	return cmp.Or(a.Issued.Compare(b.Issued), strings.Compare(a.AccessKeyID, b.AccessKeyID))
}

// IsStateFile reports whether an error is a file of the state folder that cannot be used.
func IsStateFile(err error) bool {
	_, ok := errors.AsType[*state.FileError](err)
	return ok
}
