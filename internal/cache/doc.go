// Package cache lets processes share temporary credentials, so that a session is made once and
// not by each of them: one folder, one file for each kind of session, replaced whole.
//
// It promises: only this user reads and writes the folder and its files, or they are not used;
// of processes that want the same one asks and the others wait, for a bounded time and never for
// a dead one; credentials with 15 minutes left or less are handed out only while there are no
// better ones; and nothing that is wrong with the cache keeps credentials from anybody: it is
// said, and the caller goes on as if there were none.
//
// The secrets are in the files as they are. They end with their session, 12 hours at most, and
// the next write removes what has ended; nobody but this user and root can read them before.
package cache
