// Package takeover reads what another program left of a CA: the certificates that it issued,
// in PEM or DER files, bundles and folders; the index.txt of "openssl ca" with its newcerts;
// the folder of easy-rsa; and CRLs. It is how an existing CA moves into a ledger.
//
// [Read] only reads. It writes no file, records nothing and prints nothing: it yields one
// [Item] after the other, and returns a [Summary] of what it found and what it could not
// use. Every certificate and every CRL is verified with the CA's key; those that
// another CA signed are counted and reported, never yielded.
//
// Sources are read twice, first for revocations and then for certificates, so that
// each certificate comes with its revocation. Memory holds the serial number and a
// hash of each certificate, some 60 bytes, and each revocation; certificates are not kept.
//
// Nothing in the sources is trusted: the depth of folders and the size of files are bounded,
// symbolic links are not followed out of a folder, and only regular files
// are opened. A faulty line or file is reported and does not stop the others. A revocation is
// never dropped because a part of it cannot be parsed.
package takeover
