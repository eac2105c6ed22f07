package policy

import "strings"

// Operator is a condition operator, such as ForAnyValue:StringNotLikeIfExists.
type Operator struct {
	Name     string // as the document spells it
	set      setQualifier
	ifExists bool
	negated  bool // it is met when no value of the policy matches
	compare  comparison
}

// setQualifier says how many of several values of a request are to match (IAMG
// reference_policies_condition-single-vs-multi-valued-context-keys).
type setQualifier string

const (
	noSet        setQualifier = ""
	forAllValues setQualifier = "ForAllValues"
	forAnyValue  setQualifier = "ForAnyValue"
)

// comparison is how one value of a request is compared with one of a policy.
type comparison string

// The comparisons, by the operators that are not negated.
const (
	stringEquals           comparison = "StringEquals"
	stringEqualsIgnoreCase comparison = "StringEqualsIgnoreCase"
	stringLike             comparison = "StringLike"
	arnLike                comparison = "ArnLike"
	numericEquals          comparison = "NumericEquals"
	numericLess            comparison = "NumericLessThan"
	numericLessEquals      comparison = "NumericLessThanEquals"
	numericGreater         comparison = "NumericGreaterThan"
	numericGreaterEquals   comparison = "NumericGreaterThanEquals"
	dateEquals             comparison = "DateEquals"
	dateLess               comparison = "DateLessThan"
	dateLessEquals         comparison = "DateLessThanEquals"
	dateGreater            comparison = "DateGreaterThan"
	dateGreaterEquals      comparison = "DateGreaterThanEquals"
	boolean                comparison = "Bool"
	binaryEquals           comparison = "BinaryEquals"
	ipAddress              comparison = "IpAddress"
	null                   comparison = "Null"
)

// operatorNamed returns the operator of a name: one of the guide's (IAMG
// reference_policies_elements_condition_operators), with a set qualifier before it and IfExists
// behind it. Null takes no IfExists, says the guide; that it takes no qualifier, and that the case of
// letters counts, is ours.
func operatorNamed(name string) (Operator, bool) {
	o := Operator{Name: name}
	base := name
	if prefix, rest, found := strings.Cut(name, ":"); found {
		o.set, base = setQualifier(prefix), rest
		if o.set != forAllValues && o.set != forAnyValue {
			return Operator{}, false
		}
	}
	base, o.ifExists = strings.CutSuffix(base, "IfExists")
	o.compare, o.negated = comparisonOf(base)
	if o.compare == null && (o.ifExists || o.set != noSet) {
		return Operator{}, false
	}
	return o, o.compare != ""
}

// comparisonOf returns the comparison of an operator's name, and whether it is negated.
func comparisonOf(base string) (c comparison, negated bool) {
	switch base {
	case "ArnEquals": // IAMG: ArnEquals and ArnLike behave identically
		return arnLike, false
	case "ArnNotEquals", "ArnNotLike":
		return arnLike, true
	case "StringNotEquals":
		return stringEquals, true
	case "StringNotEqualsIgnoreCase":
		return stringEqualsIgnoreCase, true
	case "StringNotLike":
		return stringLike, true
	case "NumericNotEquals":
		return numericEquals, true
	case "DateNotEquals":
		return dateEquals, true
	case "NotIpAddress":
		return ipAddress, true
	}
	switch c := comparison(base); c {
	case stringEquals, stringEqualsIgnoreCase, stringLike, arnLike,
		numericEquals, numericLess, numericLessEquals, numericGreater, numericGreaterEquals,
		dateEquals, dateLess, dateLessEquals, dateGreater, dateGreaterEquals,
		boolean, binaryEquals, ipAddress, null:
		return c, false
	}
	return "", false
}

// isDate reports whether the values are dates.
func (o Operator) isDate() bool { return strings.HasPrefix(string(o.compare), "Date") }

// hasVariables reports whether values may have variables: those of the string and ARN operators and
// of Bool (IAMG reference_policies_elements_condition_operators, in each section).
func (o Operator) hasVariables() bool {
	switch o.compare {
	case stringEquals, stringEqualsIgnoreCase, stringLike, arnLike, boolean:
		return true
	}
	return false
}
