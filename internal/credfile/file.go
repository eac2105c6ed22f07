package credfile

import (
	"context"
	"fmt"
	"os"

	"kedge/internal/atomicfile"
)

// Update sets these settings in the profile in the file at path. A missing file is created with
// mode 0600, and its folder with mode 0700; an existing one keeps its mode and owner, and is
// replaced atomically. Symbolic links are followed as package atomicfile does. Writers lock the
// file ".NAME.lock" beside it, which stays, and which only the owner of the file can open.
//
// Nothing has changed after an error, which is a *FileError. It is safe for concurrent use.
func Update(ctx context.Context, path string, s Section, settings []Setting) (err error) {
	defer asFileError(&err)
	target, err := atomicfile.OpenAndMakeFolders(path, 0o700)
	if err != nil {
		return err
	}
	defer target.Close()
	unlock, err := lock(ctx, target)
	if err != nil {
		return err
	}
	defer unlock()
	if err := target.Sweep(); err != nil {
		return err
	}
	old, err := openExisting(target, os.O_RDWR)
	if err != nil {
		return err
	}
	defer old.close()
	content, err := edit(old.content, s, settings)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if old.file != nil && content == old.content {
		return nil
	}
	return target.Write(atomicfile.File{Data: []byte(content), Mode: old.mode.Perm(), Like: old.file})
}

// Preview returns the content of the file now, and after Update. It changes nothing and takes no
// lock.
func Preview(path string, s Section, settings []Setting) (before, after string, err error) {
	defer asFileError(&err)
	old, err := load(path, os.O_RDWR)
	if err != nil {
		return "", "", err
	}
	if after, err = edit(old.content, s, settings); err != nil {
		return "", "", fmt.Errorf("%s: %w", path, err)
	}
	return old.content, after, nil
}
