package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/settings"
)

// origin is the annotation of a flag that was not given: where its value comes from.
const origin = "kedge-origin"

// originOf describes where the value of a flag comes from, as "KEDGE_REGION" or
// "/etc/kedge/config.yaml:7"; empty for the command line and for the default.
func originOf(cmd *cobra.Command, flag string) string {
	if f := cmd.Flags().Lookup(flag); f != nil && len(f.Annotations[origin]) > 0 {
		return f.Annotations[origin][0]
	}
	return ""
}

// from puts before an error about a flag where its value comes from.
func from(cmd *cobra.Command, flag string, err error) error {
	if place := originOf(cmd, flag); place != "" {
		return fmt.Errorf("%s: %w", place, err)
	}
	return err
}

// variables are the settings that the environment gives, one for each flag but those whose value is a
// secret. Lists have commas between their values.
func (f *settingFlags) variables(flags *pflag.FlagSet, env config.Environment) []settings.Setting {
	if !env.HasVariables() {
		return nil
	}
	var all []settings.Setting
	flags.VisitAll(func(flag *pflag.Flag) {
		name := flag.Name
		switch {
		case name == f.chooser:
			name = "profile"
		case name == "profile" || name == "help" || config.IsSecret(name):
			return
		}
		value := env.Variable(name)
		if value == "" || flag.Changed {
			return
		}
		s := settings.Setting{Key: flag.Name, Values: []string{value}, File: config.VariableOf(name)}
		if _, list := flag.Value.(pflag.SliceValue); list {
			s.Values, s.List = strings.Split(value, ","), true
		}
		all = append(all, s)
	})
	return all
}

// fill sets the flags of one layer, unless an earlier layer set them or what excludes them.
func fill(cmd *cobra.Command, layer []settings.Setting) error {
	if len(layer) == 0 {
		return nil
	}
	flags := cmd.Flags()
	earlier := map[string]bool{}
	flags.VisitAll(func(flag *pflag.Flag) { earlier[flag.Name] = flag.Changed })
	for _, s := range layer {
		flag := flags.Lookup(s.Key)
		if flag == nil || earlier[s.Key] || excluded(s.Key, earlier) {
			continue
		}
		if err := set(flag, s); err != nil {
			return &cli.UsageError{Command: cmd.CommandPath(), Err: err}
		}
		flag.Changed = true
		if flag.Annotations == nil {
			flag.Annotations = map[string][]string{}
		}
		flag.Annotations[origin] = []string{s.Place()}
	}
	return nil
}

// excluded reports whether a flag cannot be used together with one that is set.
func excluded(flag string, set map[string]bool) bool {
	for _, pair := range exclusives() {
		if pair[0] == flag && set[pair[1]] || pair[1] == flag && set[pair[0]] {
			return true
		}
	}
	return false
}

// set gives a flag the value of a setting.
func set(flag *pflag.Flag, s settings.Setting) error {
	values := s.Values
	if s.Line > 0 && isPath(s.Key) {
		values = nil
		for _, value := range s.Values {
			values = append(values, fromFile(s, value))
		}
	}
	if list, ok := flag.Value.(pflag.SliceValue); ok {
		if err := list.Replace(values); err != nil {
			return settingError(s, err.Error())
		}
		return nil
	}
	if s.List {
		return settingError(s, "takes one value")
	}
	if problem := wrongKind(flag.Value.Type(), s); problem != "" {
		return settingError(s, problem)
	}
	if flag.Value.Set(values[0]) != nil {
		return settingError(s, wrongText(flag.Value.Type(), values[0]))
	}
	return nil
}

// wrongKind describes what is wrong with a value of the file before it is parsed: a number in quotes is
// a text, and yes is not true.
func wrongKind(flagType string, s settings.Setting) string {
	value := s.Values[0]
	switch {
	case s.Line == 0: // not from the file
		return ""
	case flagType == "bool" && (!s.Plain || value != "true" && value != "false"):
		return "must be true or false"
	case flagType == "int" && !s.Plain:
		return "must be a number, without quotes"
	}
	return ""
}

// wrongText describes what a flag does not understand.
func wrongText(flagType, value string) string {
	switch flagType {
	case "bool":
		return "must be true or false"
	case "int":
		return fmt.Sprintf("%q is not a whole number", value)
	case "duration":
		return fmt.Sprintf("%q is not a duration such as 5s, 10m or 24h", value)
	}
	return fmt.Sprintf("%q cannot be used", value)
}

func settingError(s settings.Setting, problem string) error {
	if s.Line == 0 {
		return errors.New(s.File + ": " + problem)
	}
	return refused(s, s.Key+": "+problem)
}

// isPath tells the flags that name files, or folders.
func isPath(flag string) bool {
	switch flag {
	case "certificate", "private-key", "intermediates", "key-password-from", "ca-bundle", "policy", "cache", "token-file":
		return true
	}
	return false
}

// fromFile completes a path: in the file they begin where it is, whatever folder kedge is run in.
func fromFile(s settings.Setting, value string) string {
	if s.Key == "key-password-from" && value == "prompt" || s.Key == "cache" && !strings.Contains(value, "/") {
		return value
	}
	return config.FromFolder(filepath.Dir(s.File), value)
}
