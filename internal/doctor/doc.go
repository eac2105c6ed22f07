// Package doctor finds out why a host gets no credentials: it runs a list of checks in the order in which
// they depend on each other, and reports what was seen and what to do.
//
// A check looks, and then judges. It looks through the functions that the commands of kedge use, so that it
// sees what they would see. Judging is pure: it has no files, no network and no clock, so that tests need
// none. What needs a request has a deadline of its own, see [Limits].
//
// Nothing on the host is changed and no program is run but kedge-pkcs11 for a key on a token. One session is
// made, as by any command that gets credentials; it is used to ask STS whose it is, and forgotten. A PIN is
// not tried where a wrong one would be the last. The report has no secrets: see [Redact].
package doctor
