// Package cabackup makes backups of a CA, checks them and restores them.
//
// A backup is a file of age (https://age-encryption.org/v1), encrypted to public keys. In it is a
// tar archive: backup.json, the [Manifest], comes first, then the ledger as a SQLite file, the
// segments of its archive, and the files of the CA's folder under their names there. Keys in files
// are in it as they are, with or without a password; keys in hardware and in AWS KMS are not.
//
// age does not sign. Anybody with a public key can make a file that its owner can decrypt, so
// what a backup contains is checked like any other input, and a user compares the fingerprint of
// the root that [Check] returns with the one that the hosts have.
package cabackup
