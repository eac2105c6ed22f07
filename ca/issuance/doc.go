// Package issuance is the CA as a service: what an operator's command line, an enrollment
// server and a test ask of a CA goes through it, so that the same rules hold behind every door.
//
// A [Service] is made of a ledger, [Keys], a clock and a few functions for what the caller
// keeps elsewhere. It decides by what the ledger says at the moment of the call and keeps
// nothing of its own but opened keys, so several services, in one process or on several
// machines, may work on one ledger.
//
// # Design
//
// The package has no flags, no streams and no prompts. It opens no file, reads no clock but the
// one it is given, and never ends the process. What a person has to agree to is split: one call
// says what would happen, such as [Service.Rotation] and [Service.PlanFinish], and another does
// it, after the caller has asked; the second looks at the ledger again.
// What a front end has to say comes back as data: results hold warnings and what is left to do,
// and errors that callers branch on are types.
//
// Files are the caller's. Certificates and lists are returned, to be written where the caller
// keeps them, always after the ledger has them: whatever is lost between the two can be written
// again from the ledger. The last list of an authority comes in by Config.LastList and goes out by
// the function that [Service.PublishCRL] is given. The certificate in a file that a query names comes
// in by Config.Certificate, without which no text is ever taken for the name of a file.
//
// Keys are the caller's as well: [Keys] opens them, and whoever made it closes them after the
// service was last used.
//
// All methods of Service are safe for concurrent use. Authorities and certificates that are
// passed in or returned must not be changed.
package issuance
