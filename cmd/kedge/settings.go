package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/settings"
	"kedge/internal/spelling"
)

// settingFlags say which configuration fills in the flags that are not given.
type settingFlags struct {
	path   string // of the file
	chosen string // profile in it
	// chooser is the name of the flag for chosen. The default "profile" is taken where the
	// official helper has a flag of that name: update writes an AWS profile.
	chooser string
	// shared leaves the section of the command out: only the settings of the role are wanted.
	shared bool

	file *settings.File // after settle; nil where there is none
}

func (f *settingFlags) add(flags *pflag.FlagSet) {
	if f.chooser == "" {
		f.chooser = "profile"
	}
	flags.StringVar(&f.path, "config", "", "configuration file (default: kedge/config.yaml of the user's configuration folder, else "+filepath.Join(config.SystemDir(), settings.Name)+")")
	flags.StringVar(&f.chosen, f.chooser, "", "profile of the configuration to use")
	for _, name := range []string{"config", f.chooser} {
		flags.Lookup(name).Annotations = map[string][]string{chooser: nil}
	}
	cli.RefuseEmpty(flags, "config")
}

// chooser is the annotation of the flags that say which configuration to use, and are no part of
// one.
const chooser = "kedge-chooser"

func isChooser(flag *pflag.Flag) bool {
	_, ok := flag.Annotations[chooser]
	return ok
}

// settle fills in the flags that are not given: from the environment, else the profile, else the
// defaults of the file. A flag that excludes another goes by the same order: the one that comes
// first here is meant, and the other left alone.
//
// Where a value comes from stays with its flag: see originOf.
func (f *settingFlags) settle(cmd *cobra.Command, env config.Environment) error {
	if err := fill(cmd, f.variables(cmd.Flags(), env)); err != nil {
		return err
	}
	if err := f.open(); err != nil {
		return &cli.UsageError{Command: cmd.CommandPath(), Err: err}
	}
	if f.file == nil && f.chosen != "" {
		return &cli.UsageError{
			Command: cmd.CommandPath(),
			Err:     from(cmd, f.chooser, fmt.Errorf("--%s %s: %w", f.chooser, f.chosen, errNoFile)),
		}
	}
	if f.file == nil {
		return nil
	}
	layers, err := f.layers(cmd)
	if err != nil {
		return &cli.UsageError{Command: cmd.CommandPath(), Err: err}
	}
	for _, l := range layers {
		if err := fill(cmd, l); err != nil {
			return err
		}
	}
	return nil
}

// errNoFile is the answer where the configuration is asked for.
var errNoFile = errors.New("there is no configuration file")

// open reads the file, if there is one.
func (f *settingFlags) open() (err error) {
	path := f.path
	if path == "" {
		if path, err = settings.Find(config.SystemDir()); err != nil {
			return err
		}
	}
	if path == "" || path == os.DevNull {
		return nil
	}
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	f.file, err = settings.Open(path, sections())
	return err
}

// sections are the commands that may have settings of their own in the file.
func sections() []string {
	return []string{"credential-process", "exec", "export", "serve", "update"}
}

// layers are the parts of the file for this command, the first one first.
func (f *settingFlags) layers(cmd *cobra.Command) ([][]settings.Setting, error) {
	shared := roleSettings()
	if err := f.checkNames(shared); err != nil {
		return nil, err
	}
	layers := [][]settings.Setting{f.file.Defaults()}
	if f.chosen != "" {
		profile, err := f.file.Profile(f.chosen)
		if err != nil {
			return nil, err
		}
		layers = slices.Insert(layers, 0, profile)
	}
	if f.shared {
		return layers, nil
	}
	section := f.file.Section(cmd.Name())
	return append(layers, section), checkSection(cmd, section, shared)
}

// checkNames refuses what no profile can hold, in any of them.
func (f *settingFlags) checkNames(shared *pflag.FlagSet) error {
	all := f.file.Defaults()
	for _, name := range f.file.Profiles() {
		profile, err := f.file.Profile(name)
		if err != nil {
			return err
		}
		all = append(all, profile...)
	}
	for _, s := range all {
		if shared.Lookup(s.Key) == nil {
			return refused(s, unknownSetting(s.Key, shared, "the flags"))
		}
		if problem := secretIn(s); problem != "" {
			return refused(s, problem)
		}
	}
	return nil
}

// checkSection refuses what is no setting of the command alone.
func checkSection(cmd *cobra.Command, section []settings.Setting, shared *pflag.FlagSet) error {
	for _, s := range section {
		switch flag := cmd.Flags().Lookup(s.Key); {
		case shared.Lookup(s.Key) != nil && s.Key != "cache":
			return refused(s, s.Key+" belongs under defaults or into a profile")
		case flag == nil || s.Key == "help" || isChooser(flag):
			return refused(s, unknownSetting(s.Key, cmd.LocalFlags(), "the flags of kedge "+cmd.Name()))
		}
	}
	return nil
}

// unknownSetting describes a key that no flag of a set has as its name. Flags that cannot be settings are not suggested.
func unknownSetting(key string, flags *pflag.FlagSet, named string) string {
	var names []string
	flags.VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden && flag.Name != "help" && !isChooser(flag) && !config.IsSecret(flag.Name) {
			names = append(names, flag.Name)
		}
	})
	return "unknown setting " + key + ": " + spelling.DidYouMean(key, names) + "they are named as " + named
}

// roleSettings are the flags that a profile may set: those of a role, and the cache, which is for
// commands that have one.
func roleSettings() *pflag.FlagSet {
	all, shared := pflag.NewFlagSet("", pflag.ContinueOnError), pflag.NewFlagSet("", pflag.ContinueOnError)
	new(roleFlags).add(all)
	new(cacheFlags).add(all)
	all.VisitAll(func(flag *pflag.Flag) {
		if !isChooser(flag) {
			shared.AddFlag(flag)
		}
	})
	return shared
}

func refused(s settings.Setting, problem string) error {
	return &settings.FileError{File: s.File, Line: s.Line, Problem: problem}
}
