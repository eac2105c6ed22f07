package main

import (
	"kedge/internal/cadir"
)

// keys returns the keys that the flags select.
func (f *storeFlags) keys(h host) *cadir.Keys {
	if f.once == nil {
		f.once = cadir.Passwords{}
	}
	return &cadir.Keys{Folder: f.folder(), Password: f.password, Hardware: f.hardware, Host: h.inputs, Once: f.once}
}
