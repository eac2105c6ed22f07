// Package serve answers AWS SDKs over HTTP: as the metadata service of EC2 (IMDSv2) and as the
// container credentials endpoint of ECS and EKS, both on the same listeners.
//
// It promises that credentials it returns are complete and not expired, or an error: never an empty
// key with status 200. Reads are answered from memory; the bytes of an answer are built once for
// each new set of credentials. Its use of memory is bounded, whatever clients send. No secret is
// logged.
//
// The two endpoints are protected differently, as in AWS. The container endpoint requires a token,
// which only users that can read its file have. The metadata service gives credentials to every
// local program; tokens of IMDSv2 keep out web pages, open proxies and forwarded requests.
//
// Decisions:
//
//   - Tokens of IMDSv2 are not stored: a token is its expiration and a MAC, under a key that lives as
//     long as the process. So there is no table to fill up, and a restart ends them all, after which
//     SDKs ask for a new one.
//   - The list of roles names the first one only. SDKs take the whole list for one name.
//     The others are read under their names.
//   - The identity document has nothing that is made up, but for the letter of the availability zone: an
//     instance id would make agents believe that this is EC2.
//   - At the limit, the connection that has been idle longest is closed, so that one program that keeps
//     hundreds open does not lock out the others.
package serve
