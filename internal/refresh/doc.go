// Package refresh renews temporary credentials in time, and says when that is.
//
// A Refresher has them in memory for a process that lives long. It promises: readers never wait
// for the network while there are credentials that have not expired; one renewal is under way at
// a time, however many read; credentials that still hold are never given up for an error, for
// none, or for some that end at once; after they expired every reader gets the error that keeps
// new ones from coming; and whatever Expiration says, and whatever fails, the provider is not
// asked in a hot loop. Deadlines are by the wall clock, since a host that sleeps stops the other
// one while its credentials age.
//
// It holds credentials in memory only, and its log has none in it.
package refresh
