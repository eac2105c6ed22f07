package main

import (
	"context"
	"errors"
	"fmt"

	"kedge/internal/config"
	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient"
)

// noTokenError reports that no token could be read, and why.
type noTokenError struct{ error }

func (e *noTokenError) Unwrap() error { return e.error }

// readToken gets the token from where it is, or what takes its place.
func (o *enrollOptions) readToken() (enrollapi.Token, error) {
	if o.approval.url != "" {
		return o.approval.token, nil
	}
	text := o.argument
	switch {
	case text != "":
		o.warn("a token as an argument is visible to every user of this machine; --token-file is not")
	case o.tokenFile != "":
		data, err := o.secret.Read(o.inputs, "the token")
		if errors.Is(err, config.ErrPasswordEmpty) {
			return enrollapi.Token{}, &enrollapi.TokenTextError{Reason: "from --token-file " + o.tokenFile + " is empty"}
		}
		if err != nil {
			return enrollapi.Token{}, &noTokenError{err}
		}
		text = string(data)
	default:
		if text = o.environment.Variable("token"); text == "" {
			data, err := o.inputs.Ask("Token")
			if err != nil {
				return enrollapi.Token{}, &noTokenError{fmt.Errorf("the token is needed: %w", err)}
			}
			text = string(data)
		}
	}
	return enrollapi.ParseToken(text)
}

// unusedTokenError reports a host that has to enroll anew, where a token for that was given.
type unusedTokenError struct{ error }

func (e *unusedTokenError) Unwrap() error { return e.error }

// finishUnused is finish for a token that was not used, since a host is enrolled already, with another one.
func (o *enrollOptions) finishUnused(ctx context.Context, got *enrollclient.Enrolled) error {
	if err := got.Ended(); err != nil {
		return &unusedTokenError{err}
	}
	o.warn("the token was not used: this folder is of " + got.Pair.Record.Name + "; another host needs another --dir")
	return o.finish(ctx, got)
}
