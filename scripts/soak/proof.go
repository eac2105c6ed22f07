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

// prove shows each new set of credentials to STS, and the newest every second, until ctx ends.
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

// proveRest shows STS what it has not seen, now that it is there to stay.
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

// pending are those that STS has not seen. Sessions that ended unseen, while the emulator was away,
// are given up.
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

// latest are the newest credentials, if they have not ended.
func (j *judge) latest() []given {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.newest.id == "" || ended(j.newest) {
		return nil
	}
	return []given{j.newest}
}

// ended tells that a session ends too soon to be shown to anybody; what clients are told is early.
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
