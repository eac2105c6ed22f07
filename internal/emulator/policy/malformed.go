package policy

import "fmt"

// MalformedError is a document that IAM refuses with the code MalformedPolicyDocument.
type MalformedError struct {
	Message string // IAM's text, where it is known
	Where   string // a JSON pointer into the document, such as /Statement/0/Effect; may be empty
	Why     string // what is wrong, in our words
}

func (e *MalformedError) Error() string {
	text := e.Message
	if e.Why != "" {
		text += " (" + e.Why + ")"
	}
	if e.Where != "" {
		text = e.Where + ": " + text
	}
	return text
}

// IAM's texts. They are field reports: users published them with the documents that caused them, and
// the tests of moto (tests/test_iam/test_iam_policies.py) record them for identity policies.
const (
	textSyntax      = "Syntax errors in policy."
	textJSON        = "This policy contains invalid Json" // of a trust policy
	textVersion     = "Policy document must be version 2012-10-17 or greater."
	textLegacy      = "The policy failed legacy parsing"
	textSid         = "Statement IDs (SID) in a single policy must be unique."
	textSidAlphabet = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
	textNoActions   = "Policy statement must contain actions."
	textNoResources = "Policy statement must contain resources."
	textPrincipal   = "Policy document should not specify a principal."
	textPrefix      = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	textOneColon    = "Actions/Condition can contain only one colon."
	textVendor      = "Resource vendor must be fully qualified and cannot contain regexes."

	// Of trust policies.
	textEmpty          = "Could not parse the policy: Statement is empty!"
	textSTSOnly        = "AssumeRole policy may only specify STS AssumeRole actions."
	textNoPrincipal    = "Missing required field Principal"
	textEmptyPrincipal = "Missing required field Principal cannot be empty!"
	textNoAction       = "Missing required field Action"
	textResource       = "Has prohibited field Resource"
	textNotResource    = "AssumeRole policy must not contain resources."
	textFederated      = "Federated principals must be valid domain names or SAML metadata ARNs"
)

func malformed(message, where, why string, args ...any) *MalformedError {
	return &MalformedError{Message: message, Where: where, Why: fmt.Sprintf(why, args...)}
}
