package wire

// Caller is the user or the session whose key signed a request.
type Caller struct {
	ARN, UserID, Account string
	Region, Address      string // what the request was signed for, and came from
}
