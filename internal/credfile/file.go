package credfile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"kedge/internal/atomicfile"
)

// Update gives the profile in the file at path these settings. The file is made with mode 0600
// if there is none, and its folder with mode 0700; one that is there keeps its mode and owner, and
// is replaced whole. A symbolic link is followed. Writers wait for each other by a lock on the
// file ".NAME.lock" beside it, which stays, and which nobody but the owner of the file can open.
//
// Nothing has changed after an error. It is safe for concurrent use.
func Update(ctx context.Context, path string, s Section, settings []Setting) error {
	target, err := atomicfile.Resolve(path)
	if err != nil {
		return notAFolder(path, err)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return err
	}
	unlock, err := lock(ctx, target)
	if err != nil {
		return err
	}
	defer unlock()
	if err := atomicfile.Sweep(target); err != nil {
		return err
	}
	old, info, err := readFile(target)
	if err != nil {
		return err
	}
	content, err := edit(old, s, settings)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if info != nil && content == old {
		return nil
	}
	file := atomicfile.File{Path: target, Data: []byte(content), Mode: 0o600}
	if info != nil {
		file.Mode, file.Owner = info.Mode().Perm(), info
	}
	return atomicfile.WriteAll(file)
}

// Preview returns the content of the file now, and as Update would leave it. It changes nothing
// and takes no lock.
func Preview(path string, s Section, settings []Setting) (before, after string, err error) {
	before, _, err = readFile(path)
	if err != nil {
		return "", "", err
	}
	if after, err = edit(before, s, settings); err != nil {
		return "", "", fmt.Errorf("%s: %w", path, err)
	}
	return before, after, nil
}
