// Package keys opens a private key wherever it is: in a file, in a TPM, on a PKCS #11 token. It is
// the only package that imports all three; above it a key is a crypto.Signer.
//
//	key, err := keys.Open(ctx, "pkcs11:token=ca;object=issuing", keys.Options{Ask: ask})
//	defer key.Close()
//
// # Names of keys
//
//	PATH                                 a key file in any format of package signer, or a TSS2 key file
//	tpm:file=PATH;device=…?auth-source=… a TSS2 key file, see tpm.URI
//	tpm:handle=0x81…, handle:0x81…       a persistent key in the TPM
//	pkcs11:…                             a key on a token, RFC 7512
//
// References such as fd:3 and env:NAME are read by package config, and their content goes to
// OpenBlob.
//
// # Where passwords, PINs and auth values come from
//
// From the URI, else from Options, else from the user, if Options.Ask is set. They are read only
// when needed, and one that was refused is not tried again. A key under a handle of a TPM is
// assumed to have no auth value unless one is given: the TPM does not tell.
//
// # Errors
//
// They are those of packages signer, tpm and pkcs11, and name the key.
package keys
