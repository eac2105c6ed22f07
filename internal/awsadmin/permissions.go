package awsadmin

import "kedge/internal/emulator/policy"

// PermissionsError reports a policy of permissions that IAM refuses.
type PermissionsError struct {
	File string
	Err  error
}

func (e *PermissionsError) Error() string {
	return "IAM would refuse the policy in " + e.File + ": " + e.Err.Error()
}
func (e *PermissionsError) Unwrap() error { return e.Err }

// MaxPermissions is the size of all policies of a role itself, without white space (IAMG reference_iam-quotas).
const MaxPermissions = 10240

// CheckPermissions returns a *PermissionsError if IAM would refuse a policy of what a role may do.
func CheckPermissions(file string, document []byte) error {
	if _, err := policy.Parse(policy.Identity, document); err != nil {
		return &PermissionsError{file, err}
	}
	return nil
}
