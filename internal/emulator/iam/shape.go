package iam

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// shape is a type of the API model with its constraints.
type shape struct {
	kind     shapeKind
	min, max int            // characters, or of a number the value; max 0: none
	pattern  *regexp.Regexp // of the whole text; nil: any
	text     string         // IAM's own words for what does not match; empty: the pattern
	enum     []string
}

type shapeKind int

const (
	textShape shapeKind = iota
	numberShape
	flagShape
	tagsShape // Tags.member.1.Key, Tags.member.1.Value
	keysShape // TagKeys.member.1
)

// The words with which IAM refuses names and paths (field reports). They follow "The specified value for
// NAME is invalid. ".
const (
	textName = "It must contain only alphanumeric characters and/or the following: +=,.@_-"
	textPath = "It must begin and end with / and contain only alphanumeric characters and/or / characters."
)

// shapes returns the types that the operations use, by their names in the model of 2010-05-08 (API, "Data
// Types" and the length constraints and patterns of each parameter).
func shapes() map[string]shape {
	pattern := func(s string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + s + `)$`) }
	name := pattern(`[\w+=,.@-]+`)
	return map[string]shape{
		"roleNameType":               {min: 1, max: 64, pattern: name, text: textName},
		"userNameType":               {min: 1, max: 64, pattern: name, text: textName},
		"existingUserNameType":       {min: 1, max: 128, pattern: name, text: textName},
		"policyNameType":             {min: 1, max: 128, pattern: name, text: textName},
		"groupNameType":              {min: 1, max: 128, pattern: name, text: textName},
		"customSuffixType":           {min: 1, max: 64, pattern: name, text: textName},
		"pathType":                   {min: 1, max: 512, pattern: pattern(`(/)|(/[!-\x7F]+/)`), text: textPath},
		"pathPrefixType":             {min: 1, max: 512, pattern: pattern(`/[!-\x7F]*`), text: textPath},
		"policyPathType":             {min: 1, max: 512, pattern: pattern(`((/[A-Za-z0-9\.,\+@=_-]+)*)/`), text: textPath},
		"policyDocumentType":         {min: 1, max: 131072, pattern: pattern(`[\t\n\r -\x{FF}]+`)},
		"roleDescriptionType":        {max: 1000, pattern: pattern(`[\p{L}\p{M}\p{Z}\p{S}\p{N}\p{P}]*`)},
		"policyDescriptionType":      {max: 1000},
		"roleMaxSessionDurationType": {kind: numberShape, min: 3600, max: 43200},
		"arnType":                    {min: 20, max: 2048},
		"policyVersionIdType":        {pattern: pattern(`v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`)},
		"accessKeyIdType":            {min: 16, max: 128, pattern: pattern(`[\w]+`)},
		"statusType":                 {enum: []string{"Active", "Inactive"}},
		"markerType":                 {min: 1, max: 320, pattern: pattern(`[ -\x{FF}]+`)},
		"maxItemsType":               {kind: numberShape, min: 1, max: 1000},
		"policyScopeType":            {enum: []string{"All", "AWS", "Local"}},
		"PolicyUsageType":            {enum: []string{"PermissionsPolicy", "PermissionsBoundary"}},
		"EntityType":                 {enum: []string{"User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"}},
		"booleanType":                {kind: flagShape},
		"tagListType":                {kind: tagsShape, max: maxTags},
		"tagKeyListType":             {kind: keysShape, max: maxTags},
		"tagKeyType":                 {min: 1, max: 128, pattern: pattern(`[\p{L}\p{Z}\p{N}_.:/=+\-@]+`)},
		"tagValueType":               {max: 256, pattern: pattern(`[\p{L}\p{Z}\p{N}_.:/=+\-@]*`)},
	}
}

// violation is a value outside of its constraints, in the words of AWS services of this framework.
type violation struct {
	field, value, rule string
	text               string // the whole message, in the place of the rule
}

func (v violation) String() string {
	if v.text != "" {
		return v.text
	}
	return fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: Member must %s", v.value, v.field, v.rule)
}

// asError joins violations to one error. IAM's own words for a pattern stand alone (field reports).
func asError(all []violation) *Error {
	if len(all) == 0 {
		return nil
	}
	var texts []string
	for _, v := range all {
		if v.text != "" {
			return validation("%s", v.text)
		}
		texts = append(texts, v.String())
	}
	noun := "errors"
	if len(all) == 1 {
		noun = "error"
	}
	return validation("%d validation %s detected: %s", len(all), noun, strings.Join(texts, "; "))
}

// check compares a value with the constraints. The field is named as in the message: "roleName".
func (s shape) check(field, value string) []violation {
	switch s.kind {
	case numberShape:
		return s.checkNumber(field, value)
	case flagShape:
		s.enum = []string{"true", "false"}
	}
	var all []violation
	refuse := func(rule string, args ...any) {
		all = append(all, violation{field: field, value: "'" + value + "'", rule: fmt.Sprintf(rule, args...)})
	}
	length := utf8.RuneCountInString(value)
	if length < s.min {
		refuse("have length greater than or equal to %d", s.min)
	}
	if s.max > 0 && length > s.max {
		refuse("have length less than or equal to %d", s.max)
	}
	if s.enum != nil && !slices.Contains(s.enum, value) {
		refuse("satisfy enum value set: [%s]", strings.Join(s.enum, ", "))
	}
	if s.pattern == nil || s.pattern.MatchString(value) || len(all) > 0 {
		return all
	}
	if s.text != "" {
		return []violation{{text: fmt.Sprintf("The specified value for %s is invalid. %s", field, s.text)}}
	}
	refuse("satisfy regular expression pattern: %s", strings.TrimSuffix(strings.TrimPrefix(s.pattern.String(), "^(?:"), ")$"))
	return all
}

func (s shape) checkNumber(field, value string) []violation {
	n, err := strconv.Atoi(value)
	rule := ""
	switch {
	case err != nil:
		rule = "be a number" // ours
	case n < s.min:
		rule = fmt.Sprintf("have value greater than or equal to %d", s.min)
	case n > s.max:
		rule = fmt.Sprintf("have value less than or equal to %d", s.max)
	default:
		return nil
	}
	return []violation{{field: field, value: "'" + value + "'", rule: rule}}
}
