package settings

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kedge/internal/spelling"
	"kedge/internal/yamlfile"
)

// File is a configuration file that was read. It is immutable and safe for concurrent use.
type File struct {
	path     string
	defaults []Setting
	profiles map[string][]Setting
	sections map[string][]Setting
}

// Setting is one key of the file with its value.
type Setting struct {
	Key string
	// Values are the texts: one, those of a list, or "key=value" of a mapping.
	Values []string
	// Plain reports whether the value is one text without quotes, as numbers and booleans must be.
	Plain bool
	// List reports whether the value is a list or a mapping.
	List bool
	// File and Line are where it stands. Without a line, the value comes from elsewhere, and
	// File is the name for that.
	File string
	Line int
}

// Place is where the setting stands, as "/etc/kedge/config.yaml:7".
func (s Setting) Place() string {
	if s.Line == 0 {
		return s.File
	}
	return fmt.Sprintf("%s:%d", s.File, s.Line)
}

// FileError is what is wrong with a configuration file.
type FileError struct {
	File    string
	Line    int // 0 for the whole file
	Problem string
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Problem
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem)
}

// Parse reads the text of a file. sections are the names of the commands that may have one. The
// error is a *FileError.
func Parse(path string, data []byte, sections []string) (*File, error) {
	f := &File{path: path, profiles: map[string][]Setting{}, sections: map[string][]Setting{}}
	err := f.parse(data, sections)
	if e, ok := errors.AsType[*yamlfile.Error](err); ok {
		return nil, &FileError{File: path, Line: e.Line, Problem: e.Problem}
	}
	return f, err
}

func (f *File) parse(data []byte, sections []string) error {
	top, err := yamlfile.Parse(data)
	if err != nil || top == nil {
		return err
	}
	keys := append([]string{"defaults", "profiles"}, sections...)
	there := strings.Join(keys, ", ")
	all, ok, err := entries(top)
	if err != nil {
		return err
	}
	if !ok {
		return yamlfile.Wrong(top.Line, "the file must hold keys and values: there are %s", there)
	}
	for _, e := range all {
		switch {
		case e.key == "defaults":
			f.defaults, err = f.settings(e)
		case e.key == "profiles":
			err = f.readProfiles(e)
		case slices.Contains(sections, e.key):
			f.sections[e.key], err = f.settings(e)
		default:
			err = yamlfile.Wrong(e.line, "unknown key %s: %sthere are %s", e.key, spelling.DidYouMean(e.key, keys), there)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *File) readProfiles(e entry) error {
	profiles, ok, err := entries(e.value)
	if err != nil {
		return err
	}
	if !ok {
		return yamlfile.Wrong(e.line, "profiles must hold names, and below each its settings")
	}
	for _, profile := range profiles {
		settings, err := f.settings(profile)
		if err != nil {
			return err
		}
		f.profiles[profile.key] = settings
	}
	return nil
}

// settings reads the keys below one.
func (f *File) settings(e entry) ([]Setting, error) {
	below, ok, err := entries(e.value)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, yamlfile.Wrong(e.line, "%s must hold keys and values, as in role-arn: arn:...", e.key)
	}
	var all []Setting
	for _, e := range below {
		s, err := f.setting(e)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func (f *File) setting(e entry) (Setting, error) {
	s := Setting{Key: e.key, Plain: e.value.Kind == yaml.ScalarNode && e.value.Style == 0, List: e.value.Kind != yaml.ScalarNode, File: f.path, Line: e.line}
	pairs, ok, err := entries(e.value)
	switch {
	case err != nil:
		return s, err
	case ok:
		for _, pair := range pairs {
			if pair.value.Kind != yaml.ScalarNode {
				return s, yamlfile.Wrong(pair.line, "%s must be a text", pair.key)
			}
			s.Values = append(s.Values, pair.key+"="+pair.value.Value)
		}
	case s.List:
		for _, item := range e.value.Content {
			if err := checkValue("an item of "+e.key, item.Line, item); err != nil {
				return s, err
			}
			if item.Kind != yaml.ScalarNode {
				return s, yamlfile.Wrong(item.Line, "an item of %s must be a text; one with a colon before a space needs quotes", e.key)
			}
			s.Values = append(s.Values, item.Value)
		}
	default:
		s.Values = []string{e.value.Value}
	}
	return s, nil
}

// Path is where the file is.
func (f *File) Path() string { return f.path }

// Profiles are the names of all profiles, sorted.
func (f *File) Profiles() []string { return slices.Sorted(maps.Keys(f.profiles)) }

// Defaults are the settings that all profiles share.
func (f *File) Defaults() []Setting { return f.defaults }

// Profile returns the settings of a profile, without the defaults. The error is a *FileError
// that names the profiles there are.
func (f *File) Profile(name string) ([]Setting, error) {
	settings, ok := f.profiles[name]
	if ok {
		return settings, nil
	}
	problem := fmt.Sprintf("there is no profile %q", name)
	if names := f.Profiles(); len(names) > 0 {
		problem += ": there are " + strings.Join(names, ", ")
	}
	return nil, &FileError{File: f.path, Problem: problem}
}

// Section returns the settings of a command; none if there are none.
func (f *File) Section(command string) []Setting { return f.sections[command] }
