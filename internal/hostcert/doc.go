// Package hostcert issues and renews certificates whose keys and files are on this disk: for one
// name, for a list of hosts, for all in a folder.
//
// It connects package issuance, which decides and records, with hostfiles, which writes so that an
// interrupted run can be resumed. The order is always the same: the key, the certificate in the
// ledger, the files. After an error that leaves open whether the certificate was recorded, the key
// is kept, so that the next run finds out.
//
// When several certificates are renewed, an error stops only its own, unless it would affect each
// of the others as well; when a list is issued, the first error ends the run. An interruption takes
// effect between two certificates, never within one.
package hostcert
