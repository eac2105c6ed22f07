// Package enrollclient is the host's side of enrollment: it asks the server of a CA for the first
// certificate of a host, for the next ones, and to revoke the last one, and keeps what it gets in a
// folder of package hostdir.
//
// It trusts the key of the CA that the token named, and what that key vouches for. A certificate comes
// into use after it was checked here; nothing that a server sends decides which program runs, which
// file is written or which address is asked.
package enrollclient
