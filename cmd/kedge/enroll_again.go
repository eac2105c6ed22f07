package main

import (
	"errors"
	"io/fs"

	"kedge/internal/cli"
	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient"
	"kedge/internal/hostdir"
)

// namesToken reports whether the command line or the environment names a token.
func (o *enrollOptions) namesToken() bool {
	return o.argument != "" || o.tokenFile != "" || o.environment.Variable("token") != "" || o.approval.url != ""
}

// enrolledAlready returns the identity that a run without a token is about: that of --dir, or the only
// one of this user. nil: there is none, and a token is needed.
func (o *enrollOptions) enrolledAlready() (*enrollclient.Enrolled, error) {
	dir, err := o.one()
	var pair *hostdir.Pair
	if err == nil {
		pair, err = hostdir.Current(dir)
	}
	switch {
	case errors.Is(err, errChooseDir) || errors.As(err, new(*hostdir.NotEnrolledError)):
		return nil, nil
	case err != nil:
		return nil, err
	case o.force || o.name != "" && o.name != pair.Record.Name:
		return nil, nil
	}
	return &enrollclient.Enrolled{Dir: dir, Pair: pair, Already: true}, nil
}

// severalError reports that nothing names one of the identities of this user, nor a token.
type severalError struct{ error }

func (e *severalError) Unwrap() error { return e.error }

// tokenOr reads the token that is named. Where nothing names one, or its file is gone, as after a first boot,
// it returns the identity that the host has already, if it has one. Otherwise it asks for a token.
func (o *enrollOptions) tokenOr() (token enrollapi.Token, done *enrollclient.Enrolled, err error) {
	if o.namesToken() {
		token, err = o.readToken()
		if errors.As(err, new(*noTokenError)) && errors.Is(err, fs.ErrNotExist) {
			if done, other := o.enrolledAlready(); done != nil || other != nil {
				return token, done, other
			}
		}
		return token, nil, err
	}
	if done, err = o.enrolledAlready(); done != nil || err != nil {
		return token, done, err
	}
	token, err = o.readToken()
	if errors.Is(err, cli.ErrNoTerminal) && !o.force && o.name == "" {
		if _, which := o.one(); errors.Is(which, errChooseDir) {
			err = &severalError{which}
		}
	}
	return token, nil, err
}
