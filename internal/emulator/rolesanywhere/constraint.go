package rolesanywhere

import (
	"errors"
	"fmt"
	"regexp"
	"unicode/utf8"

	"kedge/internal/emulator/wire"
)

// text is the constraint of a string: its length in characters, and a pattern of the whole of it, empty for none.
type text struct {
	least, most int
	pattern     string
}

const (
	namePattern      = `[ a-zA-Z0-9\-_]*`
	tagPattern       = `[ a-zA-Z0-9_.:/=+@\-]*`
	roleARNPattern   = `arn:aws(-[^:]+)?:iam(:.*){2}(:role.*)`
	anchorARNPattern = `arn:aws(-[^:]+)?:rolesanywhere(:.*){2}(:trust-anchor.*)`
	pcaPattern       = `arn:aws(-[^:]+)?:acm-pca:.*` // ours
)

// isWholly reports whether the whole of a value has a pattern.
func isWholly(pattern, value string) bool {
	return regexp.MustCompile(`^(` + pattern + `)$`).MatchString(value)
}

// The constraints of strings are the model's. The pattern of a resource's name there is
// "[ a-zA-Z0-9-_]*", in which 9-_ is no range.
func nameText() text        { return text{1, 255, namePattern} }
func tagKeyText() text      { return text{1, 128, tagPattern} }
func tagValueText() text    { return text{0, 256, tagPattern} }
func roleARNText() text     { return text{1, 1011, roleARNPattern} }
func policyARNText() text   { return text{1, 200, ""} }
func resourceARNText() text { return text{1, 1011, ""} }
func anchorARNText() text   { return text{1, 1011, anchorARNPattern} }
func certificateText() text { return text{1, 16000, ""} }
func specifierText() text   { return text{0, 60, ""} }
func nextTokenText() text   { return text{1, 10000, ""} }
func referenceText() text   { return text{1, 1011, ""} }
func policyText() text      { return text{1, 100_000, ""} } // UpdateProfile; that CreateProfile has it as well is ours
func pcaText() text         { return text{1, 1011, pcaPattern} }

func (c text) check(field, value string) *wire.Error {
	n := utf8.RuneCountInString(value)
	switch {
	case n < c.least:
		return wire.Constraint(field, value, fmt.Sprintf("have length greater than or equal to %d", c.least))
	case n > c.most:
		return wire.Constraint(field, shortened(value), fmt.Sprintf("have length less than or equal to %d", c.most))
	case c.pattern != "" && !isWholly(c.pattern, value):
		return wire.Constraint(field, shortened(value), "satisfy regular expression pattern: "+c.pattern)
	}
	return nil
}

// optional checks a value that may be left out.
func (c text) optional(field string, value *string) *wire.Error {
	if value == nil {
		return nil
	}
	return c.check(field, *value)
}

// required checks a value that must be given.
func (c text) required(field string, value *string) *wire.Error {
	if value == nil {
		return missing(field)
	}
	return c.check(field, *value)
}

// shortened keeps an error message, which repeats what was sent, small.
func shortened(s string) string {
	const most = 300
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

func missing(field string) *wire.Error { return wire.Constraint(field, nil, "not be null") }

// checkRange checks a number of the model.
func checkRange(field string, value *int64, least, most int64) *wire.Error {
	switch {
	case value == nil:
		return nil
	case *value < least:
		return wire.Constraint(field, *value, fmt.Sprintf("have value greater than or equal to %d", least))
	case *value > most:
		return wire.Constraint(field, *value, fmt.Sprintf("have value less than or equal to %d", most))
	}
	return nil
}

// checkCount checks the length of a list.
func checkCount(field string, count, most int) *wire.Error {
	if count > most {
		return wire.Constraint(field, fmt.Sprintf("[%d members]", count), fmt.Sprintf("have length less than or equal to %d", most))
	}
	return nil
}

// checkOneOf checks an enumeration.
func checkOneOf(field, value string, known ...string) *wire.Error {
	for _, k := range known {
		if value == k {
			return nil
		}
	}
	return wire.Constraint(field, shortened(value), fmt.Sprintf("satisfy enum value set: %v", known))
}

// first returns the first error that is not nil.
func first(errs ...*wire.Error) *wire.Error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// asInvalid returns a ValidationException with the message of err.
func asInvalid(err error) *wire.Error {
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrBasicConstraints) { // the service does not name the certificate
		err = ErrBasicConstraints
	}
	return wire.Invalid(err.Error())
}
