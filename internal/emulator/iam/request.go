package iam

import (
	"strconv"
	"strings"
	"time"

	"kedge/internal/emulator/policy"
	"kedge/internal/emulator/wire"
)

// Call is a request of the query API, after its signature was verified.
type Call struct {
	Parameters wire.Parameters     // with Action and Version
	Caller     Caller              // whose credentials signed it
	Keys       map[string][]string // the condition keys that requests of every service have
	Now        time.Time
}

// Caller is the sender of a call: a user, or a session of a role.
type Caller struct {
	ARN     string             // of the user or of the session
	Account string             // whose entities the call is about
	Role    string             // the ARN of the session's role; empty for a user
	Session []*policy.Document // session policies; empty: none
}

// entity returns the ARN of the user or role whose policies the caller has.
func (c Caller) entity() string {
	if c.Role != "" {
		return c.Role
	}
	return c.ARN
}

// partition returns that of the caller's ARN.
func (c Caller) partition() string {
	if parts := strings.SplitN(c.ARN, ":", 3); len(parts) == 3 && parts[1] != "" {
		return parts[1]
	}
	return "aws"
}

// userName returns the name of a user, or "".
func (c Caller) userName() string {
	if c.Role != "" {
		return ""
	}
	return nameOf(c.ARN)
}

// request is a call with the accounts that it works on, and its parameters.
type request struct {
	call    Call
	store   *Store
	data    *data    // the snapshot, or the copy of an operation that changes something
	account *account // the caller's
	tags    []Tag    // Tags, checked
	tagKeys []string // TagKeys, checked
}

// text returns a parameter, "" if it is missing.
func (r *request) text(name string) string { return r.call.Parameters[name] }

// or returns a parameter, or what counts where it is missing.
func (r *request) or(name, missing string) string {
	if value, ok := r.call.Parameters[name]; ok {
		return value
	}
	return missing
}

// has reports whether a parameter is there.
func (r *request) has(name string) bool {
	_, ok := r.call.Parameters[name]
	return ok
}

// number returns a parameter that checkParameters has checked.
func (r *request) number(name string, missing int) int {
	n, err := strconv.Atoi(r.text(name))
	if err != nil {
		return missing
	}
	return n
}

// now returns the time of the call, in the seconds that the answers have.
func (r *request) now() time.Time { return r.call.Now.UTC().Truncate(time.Second) }

// arn returns the ARN of an entity of the caller's account, such as "role/path/NAME".
func (r *request) arn(resource string) string {
	return "arn:" + r.call.Caller.partition() + ":iam::" + r.call.Caller.Account + ":" + resource
}

// nameOf returns the text after the last slash of an ARN.
func nameOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// partOf returns one of the six parts of an ARN: 4 is the account, 5 the resource.
func partOf(arn string, n int) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 && parts[0] == "arn" {
		return parts[n]
	}
	return ""
}
