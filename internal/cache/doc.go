// Package cache lets processes share temporary credentials, so that they create one session and
// not one each: one folder, one file for each Key, replaced atomically.
//
// It promises: a folder or file that another user can write to or a file that another user can
// read is not used; of several processes that need the same credentials one renews them and the
// others wait, for a bounded time and never for a process that has ended; credentials with 15
// minutes left or less are returned only if newer ones cannot be had; and a fault of the cache
// is never an error of Retrieve: it is warned of, and treated as a miss.
//
// The files hold the secrets in plain text, readable by this user and root only. The secrets are
// of no use once their session has expired, after 12 hours at most; the next write removes such files.
package cache
