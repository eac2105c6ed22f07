package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/internal/credfile"
	"kedge/internal/refresh"
)

// sessions is a provider: credentials for an hour with the number of the call, or an error.
type sessions struct {
	mutex sync.Mutex
	calls int
	fail  error
	life  time.Duration
}

// set lets all calls fail from now on, or none. It returns how many there were.
func (s *sessions) set(fail error) (calls int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.fail = fail
	return s.calls
}

func (s *sessions) Retrieve(context.Context) (aws.Credentials, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.calls++
	if s.fail != nil {
		return aws.Credentials{}, s.fail
	}
	return aws.Credentials{
		AccessKeyID: fmt.Sprintf("ASIA%d", s.calls), SecretAccessKey: "secret", SessionToken: "token",
		CanExpire: true, Expires: time.Now().Add(s.life),
	}, nil
}

func newFileWriter(t *testing.T) (*fileWriter, *sessions) {
	t.Helper()
	section, err := credfile.NewSection(credfile.Credentials, "p")
	if err != nil {
		t.Fatal(err)
	}
	s := &sessions{life: time.Hour}
	return &fileWriter{provider: s, now: time.Now, target: profileFile{path: filepath.Join(t.TempDir(), "credentials"), section: section}}, s
}

// key is the access key in the file.
func (w *fileWriter) key(t *testing.T) string {
	t.Helper()
	p, err := credfile.Read(w.target.path, w.target.section)
	if err != nil {
		t.Fatal(err)
	}
	return p.Settings["aws_access_key_id"]
}

// A disk that is full does not make a new session each time it is tried.
func TestFileWriter_unwritable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, s := newFileWriter(t)
		if err := os.Mkdir(w.target.path, 0o700); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			_, err := w.Retrieve(t.Context())
			if _, ok := errors.AsType[*credfile.FileError](err); !ok || s.calls != 1 {
				t.Errorf("%v after %d sessions", err, s.calls)
			}
		}
		time.Sleep(40 * time.Minute)
		if _, err := w.Retrieve(t.Context()); err == nil || s.calls != 2 {
			t.Errorf("old credentials: %v, %d sessions", err, s.calls)
		}
		if err := os.Remove(w.target.path); err != nil {
			t.Fatal(err)
		}
		c, err := w.Retrieve(t.Context())
		if err != nil || c.AccessKeyID != "ASIA2" || w.key(t) != "ASIA2" {
			t.Errorf("%v, %s, in the file %s", err, c.AccessKeyID, w.key(t))
		}
		if c, err := w.Retrieve(t.Context()); err != nil || c.AccessKeyID != "ASIA3" || w.key(t) != "ASIA3" {
			t.Errorf("%v, %s, in the file %s", err, c.AccessKeyID, w.key(t))
		}
	})
}

// Credentials for a moment do not replace better ones.
func TestFileWriter_keepsBetter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, s := newFileWriter(t)
		if _, err := w.Retrieve(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.life = 30 * time.Second
		if c, err := w.Retrieve(t.Context()); err != nil || c.AccessKeyID != "ASIA2" || w.key(t) != "ASIA1" {
			t.Errorf("%v, %s, in the file %s", err, c.AccessKeyID, w.key(t))
		}
		time.Sleep(time.Hour)
		if _, err := w.Retrieve(t.Context()); err != nil || w.key(t) != "ASIA3" {
			t.Errorf("%v, in the file %s", err, w.key(t))
		}
	})
}

// The official helper ends at the first error. The file keeps what is good, the log has one line for
// each change, and all goes on when the service is back.
func TestUpdate_endpointDownForAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, s := newFileWriter(t)
		s.life = 2 * time.Hour
		var log bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		r := refresh.New(w, refresh.Options{Now: time.Now, Log: slog.New(slog.NewTextHandler(&log, nil))})
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		synctest.Wait()
		if w.key(t) != "ASIA1" {
			t.Errorf("at the start: %q", w.key(t))
		}
		s.set(errors.New("connection refused"))
		time.Sleep(110 * time.Minute)
		synctest.Wait()
		if calls := s.set(nil); w.key(t) != "ASIA1" || calls < 5 || calls > 40 {
			t.Errorf("while it is down: %q, %d calls", w.key(t), calls)
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if want := fmt.Sprintf("ASIA%d", s.set(nil)); w.key(t) != want {
			t.Errorf("afterwards: %q, want %s", w.key(t), want)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := strings.Count(log.String(), "connection refused"); n != 1 || strings.Count(log.String(), "\n") != 3 {
			t.Errorf("the log:\n%s", &log)
		}
	})
}
