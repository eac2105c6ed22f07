package main

import "kedge/internal/cadir"

// request returns the request for the key of an authority: the one that the flags name, or a new one
// of a kind. keyFrom is the value of --key-password-from.
func (f *newKeyFlags) request(h host, keyFrom string, kind keyKind) cadir.KeyRequest {
	return cadir.KeyRequest{URI: f.uri, Public: f.public, Generate: kind.Generate, Password: func(path string) ([]byte, []string, error) {
		return f.readPassword(h, keyFrom, path)
	}}
}
