package policy

import (
	"strings"
	"unicode/utf8"
)

// Kind is what a document is for. The grammar differs: a trust policy has principals and no
// resources, all others have resources and no principals (IAMG reference_policies_grammar).
type Kind int

// The kinds of documents.
const (
	Identity Kind = iota + 1 // inline or managed, of a user, a group or a role
	Trust                    // of a role: who may assume it
	Session                  // passed with AssumeRole, or kept by a profile of Roles Anywhere
	Boundary                 // a managed policy that is set as a permissions boundary
)

func (k Kind) String() string {
	switch k {
	case Identity:
		return "identity policy"
	case Trust:
		return "trust policy"
	case Session:
		return "session policy"
	case Boundary:
		return "permissions boundary"
	}
	return "policy"
}

// The limits of IAM, in characters as [Kind.Size] counts them (IAMG reference_iam-quotas).
// [Parse] does not check them: the error is LimitExceeded, and belongs to the operation.
const (
	MaxTrustSize       = 2048  // ACLSizePerRole, unless the quota was raised
	MaxManagedSize     = 6144  // of one version of a managed policy
	MaxUserInlineSize  = 2048  // of all inline policies of a user together
	MaxGroupInlineSize = 5120  // of all inline policies of a group together
	MaxRoleInlineSize  = 10240 // of all inline policies of a role together
	MaxSessionSize     = 2048  // STS AssumeRole, Policy
)

// MaxDocument is the most bytes of a document that [Parse] reads. IAM's API takes as many characters
// (IAM API reference, CreateRole, AssumeRolePolicyDocument).
const MaxDocument = 131072

// Size counts the characters of a document that count against the limit of its kind. IAM leaves out
// white space (IAMG reference_iam-quotas, "IAM and STS character limits"). STS counts the plain text
// of a session policy as it is (STS AssumeRole, Policy). That white space inside of strings does not
// count either is the guide taken literally: ours.
func (k Kind) Size(document string) int {
	count := utf8.RuneCountInString(document)
	if k == Session {
		return count
	}
	for _, space := range []string{" ", "\t", "\n", "\r"} {
		count -= strings.Count(document, space)
	}
	return count
}
