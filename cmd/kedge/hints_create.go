package main

import (
	"errors"
	"io/fs"
	"path/filepath"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/keys"
	"kedge/tpm"
)

// createError says that a private key or its request could not be made.
type createError struct{ error }

func (e *createError) Unwrap() error { return e.error }

// secretError says that there is nothing to protect a new key with.
type secretError struct{ error }

func (e *secretError) Unwrap() error { return e.error }

// createAdvice is about a new key: its file, or what refused to make it.
func createAdvice(err error) cli.Advice {
	if unwritten, ok := errors.AsType[*keys.UnwrittenError](err); ok {
		hint := newFileHint(unwritten)
		if unwritten.PrivateKey != "" {
			hint = "use the key as --private-key " + unwritten.PrivateKey + ", or remove it with tpm2_evictcontrol"
		}
		return cli.Advice{Code: cli.ExitFailed, Hint: hint}
	}
	if secret, ok := errors.AsType[*secretError](err); ok {
		hint := fileHint(secret)
		if hint == "" {
			hint = "set --key-password-from to PATH, fd:N, env:NAME or -; for a key file in the clear there is --no-password"
		}
		return cli.Advice{Code: cli.ExitKey, Hint: hint}
	}
	if auth, ok := errors.AsType[*tpm.AuthError](err); ok && !auth.Locked {
		return cli.Advice{Code: cli.ExitKey, Hint: "say where the right one is, in the URI of --tpm: ?" + auth.Of + "-auth-source=PATH, fd:N, env:NAME or prompt"}
	}
	if errors.Is(err, tpm.ErrHandleTaken) {
		return cli.Advice{Code: cli.ExitKey, Hint: "take a free handle; tpm2_getcap handles-persistent lists the others"}
	}
	return cli.Advice{Code: cli.ExitKey, Hint: keyHint(err)}
}

// newFileHint is the advice for a file that cannot be made.
func newFileHint(err error) string {
	path, ok := errors.AsType[*fs.PathError](err)
	switch {
	case !ok:
		return ""
	case errors.Is(path, fs.ErrExist):
		return "nothing is overwritten: give another --out, or move the old file away"
	case errors.Is(path, fs.ErrNotExist):
		return "make the folder first: mkdir -p " + filepath.Dir(path.Path)
	case errors.Is(path, fs.ErrPermission):
		return config.DescribeAccess(filepath.Dir(path.Path))
	}
	return ""
}
