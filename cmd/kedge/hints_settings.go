package main

import (
	"errors"
	"path/filepath"
	"strings"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/settings"
)

// settingsHint is the advice for a configuration file that cannot be used.
func settingsHint(err error) string {
	if unsafe, ok := errors.AsType[*settings.UnsafeError](err); ok {
		return "it says which programs to run and whom to trust: it must belong to root or the user of this process, who alone may write to it; run: chmod go-w " + unsafe.File
	}
	if file, ok := errors.AsType[*settings.FileError](err); ok {
		return "correct " + file.File + `; "kedge config check" reads all of it`
	}
	return fileHint(err)
}

// noFileHint is the advice where a profile is asked for and there is no configuration.
func noFileHint() string {
	return "name one with --config, or write " + filepath.Join(config.SystemDir(), settings.Name)
}

// advised says, where flags are missing, what the configuration could do about it.
func (f *settingFlags) advised(err error) error {
	usage, ok := errors.AsType[*cli.UsageError](err)
	if !ok || f.file == nil {
		return err
	}
	usage.Hint = "neither flags nor environment have it, nor the defaults in " + f.file.Path()
	if names := f.file.Profiles(); f.chosen == "" && len(names) > 0 {
		usage.Hint = "choose a profile of " + f.file.Path() + " with --" + f.chooser + ": " + strings.Join(names, ", ")
	} else if f.chosen != "" {
		usage.Hint += ", nor its profile " + f.chosen
	}
	return usage
}
