package policy

import (
	"bytes"
	"encoding/base64"
	"net/netip"
	"strings"
)

// matches compares a value of a request with one of the policy. A value of either that is not of the
// operator's type matches nothing (ours), and so meets negated operators.
func (c comparison) matches(request string, policy value) bool {
	switch c {
	case stringEquals:
		return request == policy.text
	case stringEqualsIgnoreCase:
		return strings.EqualFold(request, policy.text)
	case stringLike:
		return policy.like(request)
	case arnLike:
		return policy.wildcards().matchARN(request)
	case boolean:
		return matchBool(request, policy.text)
	case binaryEquals:
		return matchBinary(request, policy.text)
	case ipAddress:
		return matchIP(request, policy.text)
	}
	if strings.HasPrefix(string(c), "Date") {
		a, okA := parseDate(request)
		b, okB := parseDate(policy.text)
		return okA && okB && c.ordered(a.Compare(b))
	}
	a, okA := parseDecimal(request)
	b, okB := parseDecimal(policy.text)
	return okA && okB && c.ordered(a.compare(b))
}

// ordered reports whether a comparison is met by a request's value that is less than the policy's (-1),
// equal (0) or greater (1).
func (c comparison) ordered(order int) bool {
	switch c {
	case numericEquals, dateEquals:
		return order == 0
	case numericLess, dateLess:
		return order < 0
	case numericLessEquals, dateLessEquals:
		return order <= 0
	case numericGreater, dateGreater:
		return order > 0
	case numericGreaterEquals, dateGreaterEquals:
		return order >= 0
	}
	return false
}

// matchBool compares "true" and "false"; that their case does not count is ours.
func matchBool(request, policy string) bool {
	isBool := strings.EqualFold(policy, "true") || strings.EqualFold(policy, "false")
	return isBool && strings.EqualFold(request, policy)
}

// matchBinary compares bytes, which both sides have in base64 (IAMG
// reference_policies_elements_condition_operators, "Binary"; that the request has them so is ours).
func matchBinary(request, policy string) bool {
	a, errA := base64.StdEncoding.DecodeString(request)
	b, errB := base64.StdEncoding.DecodeString(policy)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// matchIP compares an address with a range in CIDR form, or with one address (IAMG
// reference_policies_elements_condition_operators, "IP address").
func matchIP(request, policy string) bool {
	address, err := netip.ParseAddr(request)
	if err != nil {
		return false
	}
	if strings.Contains(policy, "/") {
		prefix, err := netip.ParsePrefix(policy)
		return err == nil && prefix.Contains(address)
	}
	same, err := netip.ParseAddr(policy)
	return err == nil && same == address
}
