package hostdir

import (
	"os"
	"path/filepath"
	"strings"

	"kedge/internal/safefile"
)

// Marked reports whether the file "renewed" has the serial of the pair in use.
func Marked(path, serial string) bool {
	data, err := safefile.ReadRegular(filepath.Join(path, markName), maxFile)
	return err == nil && strings.TrimSpace(string(data)) == serial
}

// Mark writes the serial of the pair in use to the file "renewed", which others watch: a unit of systemd
// with PathChanged=, for one. The file is written in place, since they would watch one that was replaced
// no longer, and only if the serial is another.
func (f *Folder) Mark(serial string, access Access) error {
	if Marked(f.path, serial) {
		return nil
	}
	if err := f.change("mark"); err != nil {
		return err
	}
	path := f.in(markName)
	if err := os.WriteFile(path, []byte(serial+"\n"), 0o600); err != nil {
		return err
	}
	return access.apply(path, access.file())
}
