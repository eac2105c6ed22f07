// Package keys opens a private key wherever it is: in a file, in a TPM, on a PKCS #11 token. It is
// the only package that knows all three; above it a key is a crypto.Signer.
//
//	key, err := keys.Open(ctx, "pkcs11:token=ca;object=issuing", keys.Options{Ask: ask})
//	defer key.Close()
//
// # What names a key
//
//	PATH                                 a key file in any format of package signer, or a TSS2 key file
//	tpm:file=PATH;device=…?auth-source=… a TSS2 key file, see tpm.URI
//	tpm:handle=0x81…, handle:0x81…       a key that lies in the TPM
//	pkcs11:…                             a key on a token, RFC 7512
//
// References such as fd:3 and env:NAME are read by package config, and their content goes to
// OpenBlob.
//
// # Where passwords, PINs and auth values come from
//
// From the URI, else from what Options says is given, else a person is asked, where there is
// one. Each is got only when it is needed, and one that was refused is not tried again. A key
// under a handle of a TPM is taken to have no auth value unless one is given: nothing tells.
//
// # Errors
//
// They are those of packages signer, tpm and pkcs11, and name the key.
package keys
