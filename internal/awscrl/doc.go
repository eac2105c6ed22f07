// Package awscrl brings the revocation lists of a CA to IAM Roles Anywhere.
//
// A [Pusher] pushes the current list of one authority to the trust anchor that holds its certificate. What is at
// AWS is read first. A list there is replaced only if it has the tag of this CA and authority, and the authority's
// key signed it; one with a number or a revocation that the ledger lacks is a [*BehindError], and stays. Nothing is
// ever deleted, and a list is imported only where the trust anchor has room for it. After each change the list is
// read back. An interrupted push goes on in the next one: what a lost request did is found by its tag.
//
// The package prints nothing and opens no key: a list is pushed as it was signed. Callers let one push at a time
// be in progress for a ledger, since IAM Roles Anywhere has no update that depends on what is there.
package awscrl
