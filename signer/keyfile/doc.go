// Package keyfile reads private keys and certificates from the bytes of files as people have
// them: PEM, DER, base64 of them, PKCS#8 and PKCS#12, encrypted or not.
//
// What it cannot read it names, in words that a user may see, and never in those of a parser of
// ASN.1. The errors lack the name of the file, which only the caller knows. All of it is safe for
// concurrent use; it opens no file, prints nothing and asks for a password only through the
// function that it is given.
package keyfile
