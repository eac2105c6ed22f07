// Package wire is what the emulated services have in common on the wire: requests as received,
// Signature Version 4, the parameters of the query protocol, and the answers and errors of the
// query and the REST-JSON protocol.
//
// Its comments name where each rule comes from, as those of package emulator.
package wire
