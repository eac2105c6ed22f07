package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"kedge/internal/config"
	"kedge/internal/keys"
	"kedge/tpm"
)

// uriPath is the file that says where the key of an authority is, if that is not NAME.key: one
// line with a URI, or a reference to a file. It holds no secret.
func (f *storeFlags) uriPath(authority string) string {
	return filepath.Join(f.dir, authority+".key-uri")
}

// keyFile is the file that makes an authority one whose key is here: NAME.key or NAME.key-uri.
// there is false, and the path that of NAME.key, when neither is there.
func (f *storeFlags) keyFile(authority string) (path string, there bool, err error) {
	for _, path := range []string{f.keyPath(authority), f.uriPath(authority)} {
		if there, err := exists(path); err != nil || there {
			return path, there, err
		}
	}
	return f.keyPath(authority), false, nil
}

// authorityFiles are the files of an authority in JSON documents.
func (f *storeFlags) authorityFiles(authority string) identityFiles {
	files := identityFiles{Key: f.keyPath(authority), Certificate: f.certPath(authority)}
	if uri, err := f.keyURI(authority); err == nil {
		files.Key, files.KeyURI = "", uri
	}
	return files
}

const maxKeyURI = 16 << 10

// keyURI reads NAME.key-uri.
func (f *storeFlags) keyURI(authority string) (string, error) {
	path := f.uriPath(authority)
	data, err := readAtMost(path, maxKeyURI)
	if err != nil {
		return "", err
	}
	uri, err := cleanKeyURI(strings.TrimSpace(string(data)))
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return uri, nil
}

// cleanKeyURI checks what names a key that stays where it is, and returns it as it is kept: so
// that it means the same from every folder, and without a secret.
func cleanKeyURI(uri string) (string, error) {
	if keys.IsTokenURI(uri) {
		return uri, checkTokenURI(uri)
	}
	if tpm.IsURI(uri) {
		return cleanTPM(uri)
	}
	return cleanReference(uri)
}

func checkTokenURI(uri string) error {
	if pin, _ := keys.Secrets(uri); pin {
		return errors.New("a PIN cannot stand in it, where others read it; pin-source or --key-password-from says where it is")
	}
	return keys.CheckURI(uri)
}

func cleanTPM(uri string) (string, error) {
	u, err := tpm.ParseURI(uri)
	if err != nil {
		return "", err
	}
	if u.File == "" && u.Handle == 0 {
		return "", errors.New("URI of a TPM key: it names no key; give file= or handle=")
	}
	if u.File != "" {
		u.File, err = filepath.Abs(u.File)
	}
	for _, source := range []*string{&u.KeyAuth, &u.ParentAuth, &u.OwnerAuth} {
		if *source == "" || *source == "prompt" || err != nil {
			continue
		}
		*source, err = cleanReference(*source)
	}
	return u.String(), err
}

// cleanReference takes a file or a variable: what can be read only once is no place to stay in.
func cleanReference(reference string) (string, error) {
	in, err := config.ParseInput(reference)
	if err != nil || in.IsZero() {
		return "", cmp.Or(err, errors.New("it names no key"))
	}
	if readOnce(reference) {
		return "", fmt.Errorf("%s is read once; a key of a CA must stay where it is", in.Name())
	}
	path, ok := in.Path()
	if !ok {
		return in.String(), nil
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", err
	}
	if in, err = config.ParseInput("file:" + path); err != nil {
		return "", err
	}
	return in.String(), nil
}

// isAbsent says whether err is that the file at path is not there.
func isAbsent(err error, path string) bool {
	missing, ok := errors.AsType[*fs.PathError](err)
	return ok && missing.Path == path && errors.Is(err, fs.ErrNotExist)
}
