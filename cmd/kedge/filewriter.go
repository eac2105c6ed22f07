package main

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/internal/credfile"
	"kedge/internal/refresh"
)

// fileWriter is an aws.CredentialsProvider: what it gives is in the file. It is used by one
// goroutine at a time.
type fileWriter struct {
	provider aws.CredentialsProvider
	target   profileFile
	now      func() time.Time

	pending aws.Credentials // got, and not written
	due     time.Time       // when pending is too old to be written
	written time.Time       // when what is in the file expires

	writing sync.Mutex // while the file is being written
}

// Retrieve gets credentials and writes them. Ones that could not be written are kept for the next
// time: a disk that is full needs no new session each time it is tried.
func (w *fileWriter) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if !w.now().Before(w.due) {
		c, err := w.provider.Retrieve(ctx)
		if err != nil {
			return aws.Credentials{}, err
		}
		w.pending, w.due = c, refresh.When(w.now(), c.Expires, 0)
	}
	c := w.pending
	if !w.now().Before(w.written) || !c.Expires.Before(w.written) { // otherwise the file has better ones
		if err := w.write(ctx, c); err != nil {
			return aws.Credentials{}, err
		}
	}
	w.pending, w.due = aws.Credentials{}, time.Time{}
	return c, nil
}

func (w *fileWriter) write(ctx context.Context, c aws.Credentials) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	err := credfile.Update(ctx, w.target.path, w.target.section, []credfile.Setting{
		{Key: "aws_access_key_id", Value: c.AccessKeyID},
		{Key: "aws_secret_access_key", Value: c.SecretAccessKey},
		{Key: "aws_session_token", Value: c.SessionToken},
		{Key: "aws_security_token", Value: c.SessionToken, Existing: true}, // botocore prefers it
		{Key: "x_security_token_expires", Value: c.Expires.UTC().Format(time.RFC3339)},
	})
	if err == nil {
		w.written = c.Expires
	}
	return err
}

// finish waits for the end of a write that is under way. None begins after it.
func (w *fileWriter) finish() { w.writing.Lock() }
