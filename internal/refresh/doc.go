// Package refresh decides when temporary credentials are renewed, and renews them.
//
// A Refresher keeps them in memory for a long-running process. It promises: readers never wait
// for the network while the credentials are valid; at most one renewal is under way, however
// many readers there are; valid credentials are never replaced by an error, by incomplete ones,
// or by ones that expire almost at once; after they have expired every reader gets the error of
// the last renewal; and the provider is never called in a hot loop, whatever expiration it
// returns and however it fails. Deadlines use the wall clock, since the monotonic clock stops
// while the host sleeps.
//
// It keeps credentials in memory only, and logs none.
package refresh
