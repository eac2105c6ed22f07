package main

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/internal/refresh"
	"kedge/internal/role"
	"kedge/internal/serve"
	"kedge/signer"
)

// served is one role, and the loop that renews its credentials.
type served struct {
	serve.Role
	refresher *refresh.Refresher
	cancel    context.CancelFunc
	ended     chan struct{}
}

// start opens the role and begins to get its credentials; the renewal outlives ctx.
func (w wantedRole) start(ctx context.Context, h host, log *slog.Logger) (*served, error) {
	opened, err := role.Open(ctx, w.role, h.forRole(w.debug), role.Long)
	if err != nil {
		return nil, err
	}
	log = log.With("role", w.name)
	opened.WarnOfExpiry(func(text string) { log.Warn(text) })
	reader := &reader{role: opened, log: log}
	s := &served{
		refresher: refresh.New(reader, refresh.Options{Now: h.inputs.Now, Log: log, Timeout: w.role.Settings().Timeout + time.Second}),
		ended:     make(chan struct{}),
	}
	s.Role = serve.Role{Name: w.name, ARN: w.role.Settings().FinalRole(), Region: opened.Region(), Credentials: s.refresher, Validity: reader.validity}
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(s.ended)
		_ = s.refresher.Run(ctx) // it is run once, and then has no error
		opened.Close()
	}()
	return s, nil
}

// stop ends the loop, and returns when it has ended.
func (s *served) stop() {
	s.cancel()
	<-s.ended
}

func stopRoles(all []*served) {
	for _, s := range all {
		if s != nil {
			s.stop()
		}
	}
}

// reader asks for sessions, and tells the log what a person should know of key and certificate: each
// change once.
type reader struct {
	role *role.Role
	log  *slog.Logger

	mu      sync.Mutex
	trouble string // of the files
	hint    string
	serial  string
}

// Retrieve asks for a session.
func (r *reader) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := r.role.Retrieve(ctx)
	r.look(ctx, err)
	return c, err
}

func (r *reader) look(ctx context.Context, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() != nil {
		return // the attempt was given up, or the role was stopped: its log may be closed
	}
	hint := ""
	if err != nil {
		hint = advise(err).Hint
	}
	if hint != "" && hint != r.hint {
		r.log.Info("what may help with the error that follows", "hint", hint)
	}
	r.hint = hint
	r.lookAtFiles(ctx)
}

// lookAtFiles tells of files that cannot be used, for which the old certificate is still good, and of a
// new certificate.
func (r *reader) lookAtFiles(ctx context.Context) {
	id, err := r.role.Identity(ctx)
	if err != nil {
		return // so is the error of Retrieve
	}
	trouble := ""
	if err := r.role.Trouble(); err != nil {
		trouble = err.Error()
	}
	switch {
	case trouble != "" && trouble != r.trouble:
		r.log.Warn("the changed files cannot be used", "error", trouble)
	case trouble == "" && r.trouble != "":
		r.log.Info("the files can be used again")
	}
	r.trouble = trouble
	if serial := hex.EncodeToString(id.Leaf().SerialNumber.Bytes()); serial != r.serial { // as kedge-ca and CloudTrail have it
		r.log.Info("certificate", "subject", id.Leaf().Subject.String(), "serial", serial, "until", id.Leaf().NotAfter.UTC())
		r.serial = serial
	}
}

// validity is that of the certificate that would be used now; zero times are that it is not known.
func (r *reader) validity(ctx context.Context) (notBefore, notAfter time.Time) {
	id, err := r.role.Identity(ctx)
	if expired, ok := errors.AsType[*signer.ValidityError](err); ok {
		return expired.NotBefore, expired.NotAfter
	}
	if err != nil {
		return time.Time{}, time.Time{}
	}
	return id.Leaf().NotBefore, id.Leaf().NotAfter
}
