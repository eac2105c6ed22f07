// Package segment writes and reads the files into which a ledger moves what has expired and was
// superseded: see [kedge/ca/ledger.Ledger.Archive]. It has no database, and does not know what is in
// a record.
//
// # A segment
//
// A segment has records in the order of the chain. A record is what left the database together: the
// entry of a certificate, the certificate and its names, as their columns were. The ledger is what
// the database has and what its segments have; put together by sequence number it is the chain as it
// was written, without a gap, and is verified as such. Entries that still matter stay in the database,
// so that the numbers in a segment need not follow one another.
//
// The file, with numbers in big-endian order:
//
//	"kedge ledger segment 1\n"
//	data blocks    each compressed by itself (RFC 1951), with up to 256 records
//	index blocks   rows of 12 bytes, in order: 8 of the SHA-256 of a key, and the number of a data block
//	manifest       "kedge ledger segment 1\n" and JSON: see Manifest
//	signature      of the manifest
//	footer         the length of the manifest and of the signature, 4 bytes each
//
// # What is verified
//
// The manifest has the SHA-256 and the size of each block, the number of the segment, the ledger that
// it belongs to (the hash of the first entry), the digest of the segment before, and the heads of the
// chain before its first record, after its last, and when it was written. An authority of the ledger
// signs the manifest by [kedge/ca.Authority.SignText], so no byte of the file can change unseen, and
// whoever can write the database and the folder, but does not have the CA's key, cannot make a segment.
// The database has an entry with the digest of the manifest, written before anything is deleted: the
// head of the chain therefore commits to the contents of all segments. A segment that is missing,
// swapped or of another ledger does not have the digest, number and name that the entry has.
//
// A block is checked each time that it is read, so a lookup verifies all that it returns, and that the
// index from which it comes is that of the manifest, without reading the whole file.
//
// # Durability
//
// [Create] writes under a hidden name, syncs, and then gives the file its name, which contains the
// digest and is never used for other contents. [Seal] reads a file back, checks every block, and syncs
// file and folder. Only what it returns, a [Sealed], allows the ledger to delete.
package segment
