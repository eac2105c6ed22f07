// Package cadir is the folder of a CA on a disk: kedge-ca.yaml, aws.yaml, and for each authority
// NAME.pem, its key, which is NAME.key, or elsewhere, at the URI in NAME.key-uri, and its lists in crl/.
//
// It reads and checks; what may be issued is for packages ca and ledger to say. It prints nothing
// and asks nobody: passwords and PINs come from the [config.Host] that it is given, and what a user
// should hear is returned.
package cadir

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"kedge/internal/atomicfile"
	"kedge/internal/safefile"
)

// Folder is where a CA is. The zero Config is kedge-ca.yaml in the folder.
type Folder struct {
	Dir    string
	Config string // path of another configuration
}

// CertificatePath is the path of NAME.pem.
func (f Folder) CertificatePath(authority string) string {
	return filepath.Join(f.Dir, authority+".pem")
}

// KeyPath is the path of NAME.key.
func (f Folder) KeyPath(authority string) string { return filepath.Join(f.Dir, authority+".key") }

// KeyURIPath is the path of the file that names the place where the key of an authority is, if that is not
// NAME.key: one line with a URI, or a reference to a file. It holds no secret.
func (f Folder) KeyURIPath(authority string) string {
	return filepath.Join(f.Dir, authority+".key-uri")
}

// SettingsPath is the path of the configuration.
func (f Folder) SettingsPath() string {
	return cmp.Or(f.Config, filepath.Join(f.Dir, SettingsName))
}

// KeyFile is the file that makes an authority one whose key is here: NAME.key or NAME.key-uri.
// there is false, and the path that of NAME.key, when neither is there.
func (f Folder) KeyFile(authority string) (path string, there bool, err error) {
	for _, path := range []string{f.KeyPath(authority), f.KeyURIPath(authority)} {
		if there, err := atomicfile.Exists(path); err != nil || there {
			return path, there, err
		}
	}
	return f.KeyPath(authority), false, nil
}

// Settings reads the configuration. Where the folder has none, and no other is named, every key has
// its default. One that another user can change is a *safefile.UnsafeError: it says what may be
// issued.
func (f Folder) Settings() (*Settings, error) {
	path := f.SettingsPath()
	data, err := safefile.Read(path, maxSettings)
	if f.Config == "" && errors.Is(err, fs.ErrNotExist) {
		return new(Settings).complete(), nil
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, &AccessError{Path: path}
	}
	if err != nil {
		return nil, err
	}
	s, err := ParseSettings(data)
	if err != nil {
		return nil, fmt.Errorf("%s%w", path, err)
	}
	s.file = path
	return s, nil
}

// AccessError reports that the user of this process cannot read the configuration.
type AccessError struct{ Path string }

func (e *AccessError) Error() string {
	return fmt.Sprintf("the configuration %s cannot be read by this user", e.Path)
}

// Unwrap returns fs.ErrPermission.
func (e *AccessError) Unwrap() error { return fs.ErrPermission }

const maxKeyURI = 16 << 10

// KeyURI reads NAME.key-uri. One that another user can change is a *safefile.UnsafeError: by
// module-path it names the code that runs.
func (f Folder) KeyURI(authority string) (string, error) {
	path := f.KeyURIPath(authority)
	data, err := safefile.Read(path, maxKeyURI)
	if err != nil {
		return "", err
	}
	uri, err := CleanKeyURI(strings.TrimSpace(string(data)))
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return uri, nil
}

// ArchivePath returns the folder of the segments that the ledger's archive consists of, when none is given.
func (f Folder) ArchivePath() string { return filepath.Join(f.Dir, "archive") }
