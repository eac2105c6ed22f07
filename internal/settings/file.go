package settings

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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
	// Plain says that the value is one text without quotes, as numbers and booleans must be.
	Plain bool
	// List says that the value is a list or a mapping.
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
	top, err := parse(data)
	if err != nil {
		return nil, f.located(err)
	}
	for _, e := range top.entries {
		switch {
		case e.key == "defaults":
			f.defaults, err = f.settings(e)
		case e.key == "profiles":
			err = f.readProfiles(e)
		case slices.Contains(sections, e.key):
			f.sections[e.key], err = f.settings(e)
		default:
			err = wrong(e.line, "unknown key %s: there are defaults, profiles, %s", e.key, strings.Join(sections, ", "))
		}
		if err != nil {
			return nil, f.located(err)
		}
	}
	return f, nil
}

// located gives a *syntaxError its file.
func (f *File) located(err error) error {
	e, ok := err.(*syntaxError) // they are returned bare
	if !ok {
		return err
	}
	return &FileError{File: f.path, Line: e.line, Problem: e.problem}
}

func (f *File) readProfiles(e entry) error {
	if e.value.kind != mapping {
		return wrong(e.line, "profiles must hold names, and below each its settings")
	}
	for _, profile := range e.value.entries {
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
	if e.value.kind != mapping {
		return nil, wrong(e.line, "%s must hold keys and values, as in role-arn: arn:...", e.key)
	}
	var all []Setting
	for _, e := range e.value.entries {
		s := Setting{Key: e.key, Plain: e.value.plain, List: e.value.kind != scalar, File: f.path, Line: e.line}
		switch e.value.kind {
		case scalar:
			s.Values = []string{e.value.text}
		case list:
			for _, item := range e.value.items {
				s.Values = append(s.Values, item.text)
			}
		case mapping:
			for _, item := range e.value.entries {
				if item.value.kind != scalar {
					return nil, wrong(item.line, "%s must be a text", item.key)
				}
				s.Values = append(s.Values, item.key+"="+item.value.text)
			}
		}
		all = append(all, s)
	}
	return all, nil
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
