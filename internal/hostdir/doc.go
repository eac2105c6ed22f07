// Package hostdir keeps the identity of an enrolled host in a folder:
//
//	current               a link to the pair in use
//	pair-7/               leaf.key, leaf.pem with its chain, bundle.pem, identity.json
//	pair-6/               the pair before
//	enroll/leaf.key       the key of an enrollment that has no certificate yet
//	renew-HASH/leaf.key   the key for the renewal of the certificate with this hash
//	state.json            what the last tries to renew came to
//	renewed               the serial of the certificate in use, for programs that wait for the next
//	lock
//
// On Windows, where links need rights, current.pem with key and certificates is in the place of the link.
//
// A pair never changes. It is current once the link names it, which is one rename after everything in
// it is on disk: readers of current/leaf.key and current/leaf.pem see the old pair or the new one. A
// process that is killed at any point leaves the folder so that the next run can go on.
//
// One user owns the folder and everything in it, and works on it.
package hostdir
