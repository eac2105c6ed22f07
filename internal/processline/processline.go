// Package processline writes the command lines of credential_process, so that every SDK takes
// them apart in the same way, and reads them back.
//
// botocore splits such a line as Python's shlex does, without a shell (on Windows as the C runtime
// does); the Go SDK gives it to "sh -c" (cmd.exe /C), the JavaScript SDK to the same shells. It
// promises that Split(Join(words)) is words, for all of them, or Join fails.
package processline

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Join returns the words as one line.
func Join(words []string) (string, error) {
	quoted := make([]string, len(words))
	for i, word := range words {
		var err error
		if quoted[i], err = quote(word, runtime.GOOS == "windows"); err != nil {
			return "", fmt.Errorf("%q: %w", word, err)
		}
	}
	return strings.Join(quoted, " "), nil
}

// Plain reports whether a word needs no quotes.
func Plain(word string) bool {
	return word != "" && strings.IndexFunc(word, func(r rune) bool {
		return !(r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) || strings.ContainsRune("_@%+=:,./-", r))
	}) < 0
}

func quote(word string, windows bool) (string, error) {
	switch {
	case !utf8.ValidString(word):
		return "", errors.New("it is not UTF-8")
	case strings.ContainsFunc(word, unicode.IsControl):
		return "", errors.New("it has a control character, which no file of profiles can hold")
	case windows && (strings.ContainsAny(word, `"%!^`) || strings.HasSuffix(word, `\`)):
		return "", errors.New(`a quote, %, ! or ^, or \ at the end, cannot be written for cmd.exe and the AWS CLI alike`)
	case Plain(word):
		return word, nil
	case windows, !strings.ContainsAny(word, "\"$`\\!"):
		return `"` + word + `"`, nil
	}
	return "'" + strings.ReplaceAll(word, "'", `'"'"'`) + "'", nil
}

// Split takes a line apart as botocore does on Linux and macOS: with shlex.split of Python.
func Split(line string) ([]string, error) {
	s := &splitter{}
	for _, r := range line {
		s.take(r)
	}
	if s.open != 0 || s.escaped {
		return nil, errors.New("a quote or an escape has no end")
	}
	s.end()
	return s.words, nil
}

type splitter struct {
	words   []string
	word    strings.Builder
	inside  bool // a word
	open    rune // the quote that is open
	escaped bool
}

func (s *splitter) take(r rune) {
	switch {
	case s.escaped:
		if s.open == '"' && r != '"' && r != '\\' {
			s.word.WriteRune('\\')
		}
		s.add(r)
		s.escaped = false
	case r == '\\' && s.open != '\'':
		s.escaped, s.inside = true, true
	case s.open != 0 && r == s.open:
		s.open = 0
	case s.open != 0:
		s.add(r)
	case r == '"' || r == '\'':
		s.open, s.inside = r, true
	case strings.ContainsRune(" \t\r\n", r):
		s.end()
	default:
		s.add(r)
	}
}

func (s *splitter) add(r rune) {
	s.word.WriteRune(r)
	s.inside = true
}

func (s *splitter) end() {
	if s.inside {
		s.words = append(s.words, s.word.String())
	}
	s.word.Reset()
	s.inside = false
}
