//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// prove sends each new set of credentials to STS, and the newest every second, until ctx ends.
func (j *judge) prove(ctx context.Context, s *service) error {
	for pause(ctx, time.Second) {
		for _, c := range append(j.pending(), j.latest()...) {
			if err := j.proveOne(ctx, s, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// proveRest sends STS what it has not seen, after the outages are over.
func (j *judge) proveRest(ctx context.Context, s *service) error {
	for left := j.pending(); len(left) > 0; left = j.pending() {
		for _, c := range left {
			if err := j.proveOne(ctx, s, c); err != nil {
				return err
			}
		}
		if !pause(ctx, 100*time.Millisecond) {
			return cause(ctx)
		}
	}
	if j.proofs.Load() == 0 {
		return errors.New("STS has seen no credentials at all")
	}
	return nil
}

// pending returns the credentials that STS has not seen. Sessions that ended unseen, while the
// emulator was away, are dropped.
func (j *judge) pending() []given {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []given
	for id, c := range j.unproven {
		if ended(c) {
			delete(j.unproven, id)
			continue
		}
		all = append(all, c)
	}
	return all
}

// latest returns the newest credentials, if they have not expired.
func (j *judge) latest() []given {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.newest.id == "" || ended(j.newest) {
		return nil
	}
	return []given{j.newest}
}

// ended reports whether a session ends too soon to be sent to STS; clients get an earlier
// expiration.
func ended(c given) bool { return time.Until(c.expires.Add(early)) < early/6 }

func (j *judge) proveOne(ctx context.Context, s *service, c given) error {
	client := sts.New(sts.Options{
		BaseEndpoint: aws.String(s.url()), Region: s.exports["AWS_REGION"], Retryer: aws.NopRetryer{},
		HTTPClient: &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: c.id, SecretAccessKey: c.secret, SessionToken: c.token}, nil
		}),
	})
	out, err := client.GetCallerIdentity(ctx, nil)
	if refusal, ok := errors.AsType[smithy.APIError](err); ok {
		return fmt.Errorf("STS refused credentials that clients got: %w", refusal)
	}
	if err != nil {
		return nil // the emulator is away
	}
	if arn := aws.ToString(out.Arn); !strings.Contains(arn, ":assumed-role/kedge/") {
		return fmt.Errorf("the credentials are those of %q", arn)
	}
	j.proofs.Add(1)
	j.mu.Lock()
	delete(j.unproven, c.id)
	j.mu.Unlock()
	return nil
}
