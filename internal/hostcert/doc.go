// Package hostcert issues and renews certificates whose keys and files are on this disk: for one
// name, for a list of hosts, for all that a folder holds.
//
// It joins the CA as a service, which decides and records, to hostfiles, which writes so that a
// killed run can be gone on with. The order is always the same: the key, the certificate in the
// ledger, the files. After an error that leaves open whether the certificate was recorded, the key
// stays, so that the next run finds out.
//
// Of several that are renewed, an error stops the one it is about, unless it would befall each of the
// others; of a list that is issued for, the first error ends the run. An interruption is heeded between
// two certificates, never within one.
package hostcert
