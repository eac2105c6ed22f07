package session

import (
	"fmt"
	"strings"
)

// ARN names a resource of AWS, as "arn:partition:service:region:account:resource".
//
// Source: AWS IAM User Guide, "Identify AWS resources with Amazon Resource Names".
type ARN struct {
	Partition string // such as "aws" or "aws-cn"
	Service   string // such as "rolesanywhere"
	Region    string // empty for services without regions, such as IAM
	Account   string // twelve digits, or empty
	Resource  string // the rest, colons and all, such as "role/path/name"
}

// ParseARN reads an ARN of any service. The error is an *ARNError without Field.
//
// Printing what was parsed gives the same text again.
func ParseARN(s string) (ARN, error) {
	if problem := malformed(s); problem != "" {
		return ARN{}, &ARNError{Value: s, Problem: problem}
	}
	parts := strings.SplitN(s, ":", arnParts)
	return ARN{Partition: parts[1], Service: parts[2], Region: parts[3], Account: parts[4], Resource: parts[5]}, nil
}

// String writes the ARN as AWS does.
func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

const (
	arnParts = 6
	maxARN   = 1011 // the longest that CreateSession takes
)

// malformed describes what is wrong with the form of s, as the end of a sentence about it.
func malformed(s string) string {
	if problem := badlyPasted(s); problem != "" {
		return problem
	}
	parts := strings.SplitN(s, ":", arnParts)
	switch {
	case parts[0] != "arn":
		return `is not an ARN: it does not begin with "arn:"`
	case len(parts) < arnParts:
		return fmt.Sprintf("has %d parts, not 6 as in arn:partition:service:region:account:resource", len(parts))
	case !isLabel(parts[1]):
		return fmt.Sprintf("has the partition %q, which is no name like aws or aws-cn", parts[1])
	case !isLabel(parts[2]):
		return fmt.Sprintf("has the service %q, which is no name like iam or rolesanywhere", parts[2])
	case parts[3] != "" && !isLabel(parts[3]):
		return fmt.Sprintf("has the region %q, which is no name like eu-west-1", parts[3])
	case parts[4] != "" && !isAccount(parts[4]):
		return fmt.Sprintf("has the account %q, which is not twelve digits", parts[4])
	case parts[5] == "":
		return "names no resource after the last colon"
	}
	return ""
}

// badlyPasted finds what copying from a web page or a shell script leaves in an ARN.
func badlyPasted(s string) string {
	switch {
	case s == "":
		return "is missing"
	case len(s) > maxARN:
		return fmt.Sprintf("has %d characters; no ARN has more than %d", len(s), maxARN)
	case strings.TrimSpace(s) != s:
		return "has white space before or after it"
	case strings.ContainsAny(s[:1]+s[len(s)-1:], `"'`+"`"):
		return "has quotes around it"
	}
	for _, r := range s {
		if r <= ' ' || r >= 0x7f {
			return fmt.Sprintf("contains the character %q", r)
		}
	}
	return ""
}

// isLabel tells a DNS label in lower case. Partition, service and region become part of a
// host name, or are compared with what does.
func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}
