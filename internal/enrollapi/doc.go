// Package enrollapi is what a host and the enrollment server of a CA say to each other: the text of a
// token, and the JSON of requests, answers and errors. Every request is one POST with a JSON body over
// TLS; bytes are in standard base64; unknown fields are ignored, so that either side may be newer.
package enrollapi

import "time"

// The paths below the URL of a server.
const (
	PathEnroll   = "/v1/enroll"   // POST an EnrollRequest, for an Answer
	PathRequest  = "/v1/request"  // POST an ApprovalRequest, for an Answer or, with status 202, a Waiting
	PathRenew    = "/v1/renew"    // POST a RenewRequest, for an Answer
	PathUnenroll = "/v1/unenroll" // POST an UnenrollRequest, for an Unenrolled
	PathCA       = "/v1/ca"       // GET a CA
	PathHealth   = "/v1/health"   // GET: 200 while the server runs
	PathReady    = "/v1/ready"    // GET: 200 while it can issue, otherwise 503
)

const (
	// ContentType is that of every request and answer.
	ContentType = "application/json"
	// MaxBody bounds a request, in bytes.
	MaxBody = 64 << 10
	// MaxSkew bounds how far the date of a possession may be from the server's time.
	MaxSkew = 15 * time.Minute
	// dateFormat is how a possession writes its time.
	dateFormat = "20060102T150405Z"
)
