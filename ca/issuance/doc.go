// Package issuance is the CA as a service: an operator's command line, an enrollment
// server and the tests use a CA only through it, so that the same rules apply to all of them.
//
// A [Service] needs a ledger, [Keys], a clock and a few functions for what the caller
// stores. Each call decides by the current state of the ledger, and a Service has no state
// but open keys, so several services, in one process or on several machines, may use one
// ledger.
//
// # Design
//
// The package has no flags, no streams and no prompts. It opens no file, reads no clock but the
// one it is given, and never ends the process. An operation that the user must confirm has two
// calls: one returns what would happen, such as [Service.Rotation] and [Service.PlanFinish], and
// the other, after the caller has asked, does it, if the ledger has not changed since.
// Messages for the user are data: results have warnings and the next steps,
// and errors that callers branch on are types.
//
// Files belong to the caller, who writes the returned certificates and CRLs, always after the
// ledger has recorded them: a file that is lost in between can be rewritten from the ledger.
// Config.LastList reads the last CRL of an authority, and the function passed to
// [Service.PublishCRL] writes the next. Config.Certificate reads the certificate in a file that a
// query names; without it, no text is ever interpreted as the name of a file.
//
// Keys belong to the caller as well: [Keys] opens them, and the caller closes them after the
// last use of the service.
//
// All methods of Service are safe for concurrent use. Authorities and certificates that are
// passed in or returned must not be changed.
package issuance
