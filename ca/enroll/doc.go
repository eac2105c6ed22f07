// Package enroll is the server at which hosts get their certificates and renew them. It is one of
// the doors to ca/issuance, and none goes round the other steps:
//
//	proof      shows which host it is: a token, a request that the operator approved (approval.go), or
//	           the key of a certificate
//	identity   what the proof stands for: names, a profile, the certificate to be replaced
//	policy     what that profile allows such an identity: one table for all proofs (policy.go)
//	issuance   the ledger's rules, in the transaction that records the certificate
//
// The handlers only translate: a protocol has no rules of its own. There are two: that of kedge, see
// package enrollapi, and EST (RFC 7030 and 8951; est.go), if Terms.EST has labels. In EST a token is the
// password of HTTP Basic, whose user name is not read, and the proof of a renewal is the client's certificate
// of the connection. Credentials are checked against
// the ledger at each request, never at a handshake, and what a proxy sends about a client's certificate
// (X-SSL-Client-*) is never read; what it sends about the client's address (X-Forwarded-For), only from
// proxies that the operator lists. Limits (limits.go) stand before the first step: of requests from
// one address, before a signature is checked, and of requests at the same time; those for one host
// follow its proof. Renewals that are due are not limited. A request that is refused changes nothing, and spends no
// token; a request that is repeated, since its answer was lost, gets the certificate that was
// issued for it.
//
// The server keeps no state but its limits, its counts, and the hosts that it has seen in the last
// minute: any number of servers may share a ledger. Its own certificate is issued
// by the CA, with a key that exists in memory alone.
//
// Each decision is one record in the log: method, path, proof, name, the rule that decided, serial numbers,
// the hash of the key, address and milliseconds; never a token.
package enroll
