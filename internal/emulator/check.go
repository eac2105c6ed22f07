package emulator

import (
	"fmt"

	"kedge/internal/emulator/arn"
)

// CheckRegion returns an error if s does not look like a region.
func CheckRegion(s string) error {
	if !arn.IsRegion(s) {
		return fmt.Errorf("%q: a region looks like %s", s, defaultRegion)
	}
	return nil
}

// CheckAccount returns an error if s is not an account number.
func CheckAccount(s string) error {
	if !arn.IsAccount(s) {
		return fmt.Errorf("%q: an account is 12 digits", s)
	}
	return nil
}

// CheckRoleARN returns an error if s is not the ARN of a role.
func CheckRoleARN(s string) error {
	_, err := arn.Parse(s, "iam", "role")
	return err
}

// CheckProfileARN returns an error if s is not the ARN of a profile.
func CheckProfileARN(s string) error {
	_, err := arn.Parse(s, rolesService, "profile")
	return err
}
