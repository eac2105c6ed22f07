// Package ledger keeps what a CA has issued, to whom and why, and what was revoked, and
// never forgets: in a SQLite file, or in a PostgreSQL database that several machines share.
//
// What has happened is a chain of entries, each with the hash of the one before; rows are
// added to it and never changed. All other tables follow from the chain and from the
// certificates, so that [Ledger.Verify] finds a byte that was changed, a row that was taken
// out or two that were swapped. Who can rewrite the whole chain can still forge it; against
// that, keep a head ([Ledger.Head]) somewhere else and give it to Verify.
//
// A Ledger is a [ca.Recorder]: what it said it has written survives a crash of the machine.
// Concurrent writers share a transaction. Processes may share a ledger, of either engine:
// they wait for one another, and neither a sequence number nor a CRL number is given out
// twice.
//
// All methods are safe for concurrent use. The package has no clock: time comes with
// [Options] and with what is recorded. It prints and prompts nothing, and names no password
// in an error.
package ledger
