package wire

// Caller is the user or the session whose key signed a request.
type Caller struct {
	ARN, UserID, Account string
	Role                 string // its ARN, if this is a session of a role
	AccessKeyID          string // that the request was signed with
	Region, Address      string // what the request was signed for, and came from
}
