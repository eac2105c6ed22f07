package credfile

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Setting is one line of a profile.
type Setting struct {
	Key, Value string
	// Existing: it is written only if the profile already has it.
	Existing bool
}

// check refuses a setting that some SDK would read back differently.
func (s Setting) check() error {
	if s.Key == "" || strings.Trim(s.Key, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return fmt.Errorf("%q is not the name of a setting", s.Key)
	}
	_, remark := cutComment(" " + s.Value)
	switch {
	case s.Value == "" || strings.TrimSpace(s.Value) != s.Value:
		return fmt.Errorf("%s cannot be empty, nor begin or end with a space", s.Key)
	case !utf8.ValidString(s.Value) || strings.ContainsFunc(s.Value, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) && r != ' '
	}):
		return fmt.Errorf("%s cannot hold line breaks, tabs, control characters or what is not UTF-8", s.Key)
	case remark != "":
		return fmt.Errorf("%s cannot hold %q after a space: the SDKs take it for a comment", s.Key, remark[:1])
	case quoted(s.Value):
		return fmt.Errorf("%s cannot begin and end with a quote: the Go SDK takes both away", s.Key)
	}
	return nil
}

// edit returns the content with these settings in the profile.
func edit(content string, s Section, settings []Setting) (string, error) {
	for _, setting := range settings {
		if err := setting.check(); err != nil {
			return "", err
		}
	}
	lines := split(content)
	var out strings.Builder
	out.Grow(len(content) + 4096)
	copied, exact, loose, failed := 0, false, -1, error(nil)
	sections(lines, func(start, end int) {
		found, all := s.is(lines[start].name)
		if !found || failed != nil {
			return
		}
		if exact = exact || all; !all {
			loose = start
		}
		appendLines(&out, lines[copied:start+1])
		copied = end
		e := &editor{first: start + 1, lines: lines[start+1 : end], eol: ending(lines)}
		if !strings.HasSuffix(lines[start].text, "\n") {
			out.WriteString(e.eol)
		}
		failed = e.edit(&out, settings)
	})
	if failed != nil {
		return "", failed
	}
	if loose >= 0 && !exact && s.form == Config {
		return "", fmt.Errorf("line %d: not every AWS SDK reads this section as the profile %q; write it as [%s]", loose+1, s.name, s.header())
	}
	appendLines(&out, lines[copied:])
	if !exact {
		appendSection(&out, lines, s, settings)
	}
	if err := verify(content, out.String(), s, settings); err != nil {
		return "", err
	}
	return out.String(), nil
}

func appendLines(out *strings.Builder, lines []line) {
	for _, l := range lines {
		out.WriteString(l.text)
	}
}

// appendSection appends a section for the profile to the file.
func appendSection(out *strings.Builder, lines []line, s Section, settings []Setting) {
	eol := ending(lines)
	if len(lines) > 0 {
		last := lines[len(lines)-1]
		if !strings.HasSuffix(out.String(), "\n") {
			out.WriteString(eol)
		}
		if last.kind != blank {
			out.WriteString(eol)
		}
	}
	out.WriteString("[" + s.header() + "]" + eol)
	for _, setting := range settings {
		if !setting.Existing {
			out.WriteString(setting.Key + " = " + setting.Value + eol)
		}
	}
}

// verify compares the new file with the old one, as the SDKs read both: a line that they read in
// different ways could make one of them miss what was written, or change another profile.
func verify(before, after string, s Section, settings []Setting) error {
	const unclear = "the AWS SDKs differ in how they read the profile's lines: write each setting on a line of its own, without space before it"
	if !settled(readLenient(before), readLenient(after), s, settings) {
		return errors.New(unclear)
	}
	old, err := readStrict(before)
	now, nowErr := readStrict(after)
	switch {
	case err == nil && nowErr == nil && settled(old, now, s, settings):
	case err != nil && (nowErr != nil || has(now, s, settings)): // botocore could not read it before either, see Profile.Problem
	default:
		return errors.New(unclear)
	}
	return nil
}

// has reports whether a reader finds the settings; it ignores everything else.
func has(now document, s Section, settings []Setting) bool {
	for name, values := range now {
		if _, all := s.is(name); all {
			return maps.Equal(values, wanted(values, settings))
		}
	}
	return false
}

// settled reports whether a reader finds the settings, and everything else as before.
func settled(before, after document, s Section, settings []Setting) bool {
	found := false
	for name, values := range after {
		some, all := s.is(name)
		want := before[name]
		if some {
			want = wanted(want, settings)
		}
		if !maps.Equal(values, want) {
			return false
		}
		found = found || all
	}
	return found && len(after) >= len(before)
}

// wanted returns what a section of the profile should hold.
func wanted(before map[string]string, settings []Setting) map[string]string {
	want := map[string]string{}
	maps.Copy(want, before)
	for _, setting := range settings {
		if _, there := before[setting.Key]; there || !setting.Existing {
			want[setting.Key] = setting.Value
		}
	}
	return want
}
