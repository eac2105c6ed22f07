package emulator

// The service's messages (field reports). Undocumented messages are where they are used.
const (
	textSignature    = "Invalid signature"
	textUntrusted    = "Untrusted signing certificate"
	textInsufficient = "Untrusted certificate. Insufficient certificate"
	textRevoked      = "Certificate revoked"
	textAnchor       = "Specified Trust Anchor wasn't found."
	textProfile      = "Invalid or empty profile provided."
	textRoleList     = "Requested Role isn't one of those listed in the Profile."
	textSessionName  = "Not authorized to set roleSessionName"
	textOrigin       = "The certificate has no value for the subject source of trusted identity propagation" // ours
	textAssume       = "Unable to assume role for ARN."
	// The report does not show the beginning of the message; textAssume is ours.
	textMaxDuration = textAssume + " The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
	// The report quotes only these words of the message.
	textTags = "attributes failed to be mapped into session tags"
)
