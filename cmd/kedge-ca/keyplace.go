package main

import (
	"kedge/internal/awskms"
	"kedge/internal/cadir"
)

// folder returns the folder of the CA.
func (f *storeFlags) folder() cadir.Folder { return cadir.Folder{Dir: f.dir, Config: f.config} }

func (f *storeFlags) certPath(authority string) string { return f.folder().CertificatePath(authority) }
func (f *storeFlags) keyPath(authority string) string  { return f.folder().KeyPath(authority) }

// keys returns the keys that the flags select.
func (f *storeFlags) keys(h host) *cadir.Keys {
	if f.once == nil {
		f.once, f.kms = cadir.Passwords{}, awskms.NewClient(awskms.DefaultLimits())
	}
	return &cadir.Keys{Folder: f.folder(), Password: f.password, Hardware: f.hardware, Host: h.inputs, Once: f.once, KMS: f.kms}
}

// authorityFiles are the files of an authority in JSON documents.
func (f *storeFlags) authorityFiles(authority string) identityFiles {
	files := identityFiles{Key: f.keyPath(authority), Certificate: f.certPath(authority)}
	if uri, err := f.folder().KeyURI(authority); err == nil {
		files.Key, files.KeyURI = "", uri
	}
	return files
}
