package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/processline"
)

// line returns the command that gets credentials with these flags, from any folder.
func (o *configureOptions) line(cmd *cobra.Command, program string) (string, error) {
	arguments, err := o.arguments(cmd)
	if err != nil {
		return "", err
	}
	line, err := processline.Join(append([]string{program, "credential-process"}, arguments...))
	if err != nil {
		return "", cli.Usagef(cmd, "the line of credential_process: %w", err)
	}
	return line, nil
}

// arguments returns the flags of credential-process. Values of the configuration file are left there.
// The Go SDK removes the quotes of a line that begins and ends with them, so the last word is one
// without quotes.
func (o *configureOptions) arguments(cmd *cobra.Command) ([]string, error) {
	var quoted, plain []string
	add := func(flag string, values ...string) { // in their order
		to := &plain
		if slices.ContainsFunc(values, func(v string) bool { return !processline.Plain(v) }) {
			to = &quoted
		}
		for _, value := range values {
			*to = append(*to, "--"+flag, value)
		}
	}
	if o.file != nil {
		add("config", absolute(o.file.Path()))
	}
	if o.chosen != "" {
		add("profile", o.chosen)
	}
	twin := newCredentialProcess(o.host, nil).Flags()
	var failed error
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if failed != nil || !flag.Changed || !passed(flag.Name, twin) || o.inFile(cmd, flag.Name) {
			return
		}
		if flag.Value.Type() == "bool" {
			plain = append(plain, "--"+flag.Name+"="+flag.Value.String())
			return
		}
		values := []string{flag.Value.String()}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for i := range values {
			var err error
			if values[i], err = portable(flag.Name, values[i]); err != nil {
				failed = cli.Usagef(cmd, "--%s: %w", flag.Name, err)
			}
		}
		add(flag.Name, values...)
	})
	return append(quoted, plain...), failed
}

// passed reports whether the line has the flag.
func passed(flag string, twin *pflag.FlagSet) bool {
	switch flag {
	case "profile", "config", "debug", "help":
		return false
	case "quiet":
		return true // of the program
	}
	return twin.Lookup(flag) != nil
}

// inFile reports whether a flag's value comes from the configuration file.
func (o *configureOptions) inFile(cmd *cobra.Command, flag string) bool {
	return o.file != nil && strings.HasPrefix(originOf(cmd, flag), o.file.Path()+":")
}

// portable returns the value of a flag so that it is valid in every folder, and without a terminal.
func portable(flag, value string) (string, error) {
	if config.HideSecrets(flag, value) != value {
		return "", errors.New("a password or PIN has no place in a file of profiles; use --key-password-from with PATH or env:NAME")
	}
	switch flag {
	case "cache":
		if value != "auto" && value != "off" {
			return absolute(value), nil
		}
	case "pkcs11-lib":
		if strings.ContainsRune(value, filepath.Separator) {
			return absolute(value), nil
		}
	case "certificate", "private-key", "intermediates", "key-password-from", "ca-bundle", "policy":
		return portableInput(value)
	}
	return value, nil
}

func portableInput(value string) (string, error) {
	if value == "-" || value == "prompt" || strings.HasPrefix(value, "fd:") {
		return "", fmt.Errorf("%s is not there when an SDK starts the program; use PATH or env:NAME", value)
	}
	in, err := config.ParseInput(value)
	if path, ok := in.Path(); err == nil && ok {
		in, err = config.ParseInput(absolute(path))
		return in.String(), err
	}
	return value, nil
}
