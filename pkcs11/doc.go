// Package pkcs11 signs with private keys on PKCS#11 tokens: HSMs, smart cards, YubiKeys, TPMs
// behind a module. A Key is a crypto.Signer; certificates on the token can be read, listed and
// imported, and keys can be made there. What is meant is said with URIs, RFC 7512.
//
//	m, err := pkcs11.Load(ctx, uri, pkcs11.Options{PIN: ask})
//	key, err := m.Key(ctx, uri, nil)
//	leaf, err := key.Certificate(ctx)
//
// # What is promised
//
// A key is used only when the URI means exactly one; otherwise the error lists what it could
// mean. A PIN is tried once: one that was refused is not tried again by the same Module, and on
// no token that might not be the one that is meant. A PIN is in no argument and no environment.
//
// All types are safe for concurrent use. A Module lives until it is closed, and its Keys with it.
// They outlive the token being pulled and the module crashing or hanging: the call under way
// fails with one error, the next one works.
//
// # The process of the module
//
// A module is C code of a vendor, which crashes, hangs, leaks and starts threads. It is loaded
// by the program kedge-pkcs11, the only one of kedge's that is built with cgo, one process for
// each Module. This package starts it without arguments and speaks with it by its standard
// input and output, in the frames of package kedge/internal/wire:
//
//	parent                                   kedge-pkcs11
//	load, version, path of the module   ->
//	                                    <-   manufacturer, description and version of the library
//	slots                               ->
//	                                    <-   each slot with a token: names, flags, mechanisms
//	find, slot, what matches, what to read ->
//	                                    <-   handles and attributes
//	login, slot, PIN                    ->
//	                                    <-   nothing
//	sign, slot, key, mechanism, data    ->
//	                                    <-   signature
//
// and likewise generate, create, destroy, and forget, which closes the sessions of a slot. An
// answer carries the number of its request, and a CK_RV and the function that returned it
// where that failed. Requests are answered as they are done. The process keeps sessions and the
// state of logins, and decides nothing: matching, choosing and asking are on this side, free of
// cgo and tested without it.
//
// The process lives as long as its parent: it ends when its standard input does, whatever the
// module is doing; with Options.Brief as soon as it has signed, while the parent goes on. It ignores SIGINT, SIGTERM and SIGHUP, which a terminal or a service manager
// send to the group. When a call takes longer than Options.Timeout it is killed. What the
// module prints goes to standard error, from which the first line is told when it dies.
//
// # Decisions
//
// go.step.sm/crypto's kms/pkcs11 and crypto11 load the module into the program itself, need cgo
// there, ignore most attributes of a URI, and pick the first key of several. Hence this one, on
// github.com/miekg/pkcs11. The price is a round trip through two pipes for each signature. Waking
// the other process is most of that, and as much as the signature itself with a fast module:
// after a few requests both ends look for the next message for a moment before they sleep.
package pkcs11
