package credfile

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Form is one of the two files, which write the name of a profile in different ways.
type Form int

// The two files.
const (
	Credentials Form = iota // ~/.aws/credentials: [name]
	Config                  // ~/.aws/config: [profile name], but [default]
)

// Section is the section of a profile in one of the files.
type Section struct {
	form Form
	name string
}

// NewSection checks that all SDKs can read a profile of this name.
func NewSection(form Form, name string) (Section, error) {
	bad := func(r rune) bool {
		if form == Config { // shared-ini-file-loader/parseIni.js: prefixKeyRegex
			return !(r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) || strings.ContainsRune("_-@+.%:/", r))
		}
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune(`[]#;"'\`, r)
	}
	switch {
	case name == "":
		return Section{}, errors.New("a profile needs a name")
	case name == "DEFAULT": // configparser.DEFAULTSECT
		return Section{}, errors.New(`"DEFAULT" has a meaning of its own for the AWS CLI; write it as "default"`)
	case name == "__proto__":
		return Section{}, errors.New(`"__proto__" is refused by the JavaScript SDK`)
	case strings.ContainsFunc(name, bad) || !utf8.ValidString(name):
		return Section{}, fmt.Errorf("not every AWS SDK can read a profile with the name %q; take letters, digits and _-@+.%%:/", name)
	}
	return Section{form: form, name: name}, nil
}

// header returns the header, without brackets, of a new section.
func (s Section) header() string {
	if s.form == Config && s.name != "default" {
		return "profile " + s.name
	}
	return s.name
}

// String returns the header line of the section, such as "[profile backup]".
func (s Section) String() string { return "[" + s.header() + "]" }

// is reports whether a header, without brackets, is the profile's for some SDK, and whether it is
// for all SDKs.
func (s Section) is(header string) (some, all bool) {
	if header == s.header() || s.form == Config && header == "profile "+s.name {
		return true, true
	}
	name := strings.TrimSpace(header)
	if s.form == Config {
		if first, rest, ok := strings.Cut(name, " "); ok && first == "profile" {
			name = strings.Trim(strings.TrimSpace(rest), `"'`)
		} else if s.name != "default" {
			return false, false
		}
	}
	return name == s.name, false
}
