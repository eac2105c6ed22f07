// Package takeover reads what another program left of a CA: the certificates that it issued,
// in PEM or DER files, bundles and folders; the index.txt of "openssl ca" with its newcerts;
// the folder of easy-rsa; and CRLs. It is how an existing CA moves into a ledger.
//
// [Read] only reads. It writes no file, records nothing and prints nothing: it hands on one
// [Item] after the other, and at the end a [Summary] of what it found and what it could not
// take. Every certificate and every CRL is checked to be signed with the CA's key; what
// another CA signed is counted and named, never taken.
//
// Sources are read twice, first for what was revoked and then for the certificates, so that
// each certificate comes with its revocation. What is kept in memory is the serial number and a
// hash of each certificate, some 60 bytes, and each revocation; certificates are not kept.
//
// Nothing in the sources is trusted: the depth of folders and the size of files are bounded,
// symbolic links in a folder are not followed out of it, and whatever is not a regular file
// is not opened. A faulty line or file is named and does not stop the others. A revocation is
// never dropped because a part of it cannot be read.
package takeover
