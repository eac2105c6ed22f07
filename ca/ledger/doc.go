// Package ledger records permanently what a CA has issued, to whom and why, and what was
// revoked: in a SQLite file, or in a PostgreSQL database that several machines share.
//
// The record is a chain of entries, each with the hash of the previous one; rows are
// added to it and never changed. All other tables follow from the chain and from the
// certificates, so that [Ledger.Verify] finds a byte that was changed, and rows that were
// removed or swapped. An attacker who can rewrite the whole chain can still forge it; against
// that, keep a head ([Ledger.Head]) somewhere else and pass it to Verify.
//
// A Ledger is a [ca.Recorder]: after a successful call, the record survives a crash of the
// machine. Concurrent writers share a transaction. Processes may share a ledger, of either
// engine: they wait for one another, and neither a sequence number nor a CRL number is used
// twice.
//
// What a certificate needs to be recorded is checked in the transaction that records it: rules.go,
// and for hosts that ask a server enrollment.go. Tokens, denied names and names that were given
// up are entries of the chain as well.
//
// All methods are safe for concurrent use. The package has no clock: time comes from
// [Options] and from what is recorded. It does not print or prompt, and no error contains a
// password.
package ledger
