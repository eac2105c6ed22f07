package emulator

import (
	"fmt"
	"strings"
)

// arn is an Amazon Resource Name: arn:partition:service:region:account:resource (AWS General
// Reference, "Amazon Resource Names").
type arn struct {
	partition, service, region, account, resource string
}

func (a arn) String() string {
	return strings.Join([]string{"arn", a.partition, a.service, a.region, a.account, a.resource}, ":")
}

// parseARN parses an ARN of a service and kind of resource, such as "rolesanywhere" and "profile".
func parseARN(s, service, kind string) (arn, error) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return arn{}, fmt.Errorf("%q is not an ARN (arn:partition:service:region:account:resource)", s)
	}
	a := arn{parts[1], parts[2], parts[3], parts[4], parts[5]}
	switch {
	case a.partition != "aws" && !strings.HasPrefix(a.partition, "aws-"):
		return arn{}, fmt.Errorf("%q: no partition is called %q", s, a.partition)
	case a.region != "" && !isRegion(a.region):
		return arn{}, fmt.Errorf("%q: a region looks like %s", s, defaultRegion)
	case a.region != "" && a.partition != partitionOf(a.region):
		return arn{}, fmt.Errorf("%q: %s is in the partition %s", s, a.region, partitionOf(a.region))
	case a.service != service:
		return arn{}, fmt.Errorf("%q belongs to %q, not to %q", s, a.service, service)
	case (a.region == "") != (service == "iam"):
		return arn{}, fmt.Errorf("%q: a %s ARN has %s", s, service, map[bool]string{true: "no region", false: "a region"}[service == "iam"])
	case !isAccount(a.account):
		return arn{}, fmt.Errorf("%q: an account is 12 digits", s)
	}
	name, ok := strings.CutPrefix(a.resource, kind+"/")
	if !ok || name == "" || strings.ContainsFunc(name, outsideASCII) {
		return arn{}, fmt.Errorf("%q does not name a %s (%s/…)", s, kind, kind)
	}
	return a, nil
}

// id returns the text after the last slash: a role's name without its path, an anchor's UUID.
func (a arn) id() string { return a.resource[strings.LastIndexByte(a.resource, '/')+1:] }

func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// CheckRegion returns an error if s does not look like a region.
func CheckRegion(s string) error {
	if !isRegion(s) {
		return fmt.Errorf("%q: a region looks like %s", s, defaultRegion)
	}
	return nil
}

// CheckAccount returns an error if s is not an account number.
func CheckAccount(s string) error {
	if !isAccount(s) {
		return fmt.Errorf("%q: an account is 12 digits", s)
	}
	return nil
}

// CheckRoleARN returns an error if s is not the ARN of a role.
func CheckRoleARN(s string) error {
	_, err := parseARN(s, "iam", "role")
	return err
}

// CheckProfileARN returns an error if s is not the ARN of a profile.
func CheckProfileARN(s string) error {
	_, err := parseARN(s, rolesService, "profile")
	return err
}

// outsideASCII reports whether r is not a visible ASCII character.
func outsideASCII(r rune) bool { return r <= ' ' || r >= 0x7f }

// partitionOf returns the partition of a region, by its prefix (AWS General Reference,
// "Partitions").
func partitionOf(region string) string {
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

// isRegion reports whether s looks like a region, such as eu-central-1 or us-gov-west-1.
func isRegion(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) < 3 || len(s) > 32 {
		return false
	}
	last := parts[len(parts)-1]
	return strings.Trim(last, "0123456789") == "" && last != "" &&
		strings.Trim(strings.Join(parts[:len(parts)-1], ""), "abcdefghijklmnopqrstuvwxyz") == ""
}
