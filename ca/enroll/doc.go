// Package enroll is the server at which hosts get their certificates and renew them. It is one of
// the doors to ca/issuance, and none goes round the other steps:
//
//	proof      shows which host it is: a token, a request that the operator approved (approval.go), or
//	           the key of a certificate
//	identity   what the proof stands for: names, a profile, the certificate to be replaced
//	policy     what that profile allows such an identity: one table for all proofs (policy.go)
//	issuance   the ledger's rules, in the transaction that records the certificate
//
// The handlers only translate: a protocol has no rules of its own. Credentials are checked against
// the ledger at each request, never at a handshake, and nothing that a proxy adds to a request
// (X-SSL-Client-*, X-Forwarded-*) is read. A request that is refused changes nothing, and spends no
// token; a request that is repeated, since its answer was lost, gets the certificate that was
// issued for it.
//
// The server keeps no state: any number of them may share a ledger. Its own certificate is issued
// by the CA, with a key that exists in memory alone.
//
// Each decision is one record in the log: path, proof, name, the rule that decided, serial numbers,
// the hash of the key, address and milliseconds; never a token.
package enroll
