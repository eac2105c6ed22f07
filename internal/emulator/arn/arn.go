// Package arn is about Amazon Resource Names, regions and accounts. Its values are immutable.
package arn

import (
	"fmt"
	"strings"
)

// ARN is an Amazon Resource Name: arn:partition:service:region:account:resource (AWS General
// Reference, "Amazon Resource Names").
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// exampleRegion is the region in error messages.
const exampleRegion = "us-east-1"

func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// Parse parses an ARN of a service and kind of resource, such as "rolesanywhere" and "profile".
func Parse(s, service, kind string) (ARN, error) {
	parts, ok := split(s)
	if !ok || parts[0] != "arn" {
		return ARN{}, fmt.Errorf("%q is not an ARN (arn:partition:service:region:account:resource)", s)
	}
	a := ARN{parts[1], parts[2], parts[3], parts[4], parts[5]}
	switch {
	case a.Partition != "aws" && !strings.HasPrefix(a.Partition, "aws-"):
		return ARN{}, fmt.Errorf("%q: no partition is called %q", s, a.Partition)
	case a.Region != "" && !IsRegion(a.Region):
		return ARN{}, fmt.Errorf("%q: a region looks like %s", s, exampleRegion)
	case a.Region != "" && a.Partition != PartitionOf(a.Region):
		return ARN{}, fmt.Errorf("%q: %s is in the partition %s", s, a.Region, PartitionOf(a.Region))
	case a.Service != service:
		return ARN{}, fmt.Errorf("%q belongs to %q, not to %q", s, a.Service, service)
	case (a.Region == "") != (service == "iam"):
		return ARN{}, fmt.Errorf("%q: a %s ARN has %s", s, service, map[bool]string{true: "no region", false: "a region"}[service == "iam"])
	case !IsAccount(a.Account):
		return ARN{}, fmt.Errorf("%q: an account is 12 digits", s)
	}
	name, ok := strings.CutPrefix(a.Resource, kind+"/")
	if !ok || name == "" || strings.ContainsFunc(name, outsideASCII) {
		return ARN{}, fmt.Errorf("%q does not name a %s (%s/…)", s, kind, kind)
	}
	return a, nil
}

// split returns the six parts of an ARN; a configuration of 200 profiles has 50,000.
func split(s string) (parts [6]string, ok bool) {
	last := len(parts) - 1
	for i := range last {
		if parts[i], s, ok = strings.Cut(s, ":"); !ok {
			return parts, false
		}
	}
	parts[last] = s // with its colons
	return parts, true
}

// ID returns the text after the last slash: a role's name without its path, an anchor's UUID.
func (a ARN) ID() string { return a.Resource[strings.LastIndexByte(a.Resource, '/')+1:] }

// IsAccount reports whether s is an account number.
func IsAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// outsideASCII reports whether r is not a visible ASCII character.
func outsideASCII(r rune) bool { return r <= ' ' || r >= 0x7f }

// PartitionOf returns the partition of a region, by its prefix (AWS General Reference,
// "Partitions").
func PartitionOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	case strings.HasPrefix(region, "eusc-"):
		return "aws-eusc"
	case strings.HasPrefix(region, "us-iso-"):
		return "aws-iso"
	case strings.HasPrefix(region, "us-isob-"):
		return "aws-iso-b"
	case strings.HasPrefix(region, "eu-isoe-"):
		return "aws-iso-e"
	case strings.HasPrefix(region, "us-isof-"):
		return "aws-iso-f"
	}
	return "aws"
}

// IsRegion reports whether s looks like a region, such as eu-central-1 or us-gov-west-1.
func IsRegion(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) < 3 || len(s) > 32 {
		return false
	}
	last := parts[len(parts)-1]
	return strings.Trim(last, "0123456789") == "" && last != "" &&
		strings.Trim(strings.Join(parts[:len(parts)-1], ""), "abcdefghijklmnopqrstuvwxyz") == ""
}
