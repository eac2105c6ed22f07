package hostdir

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"

	"kedge/internal/atomicfile"
	"kedge/internal/safefile"
)

// Where there are no links, the pair in use is one file, which is replaced as a whole: its first line
// names the pair, then come the key, unless it is in hardware, the certificate and its chain. Every
// reader of PEM skips the line. A folder that has such a file keeps this form everywhere.
const (
	combinedName = "current.pem"
	bothName     = "both.pem" // the same in a pair, without the line
)

// isCombined reports whether the pair in use is one file.
func isCombined(path string) bool {
	return !canLink || isPresent(filepath.Join(path, combinedName))
}

// Files returns the paths of the certificate and of the key in use, which may be one file. The key may be
// in hardware, and its file not there.
func Files(path string) (certificate, key string) {
	if isCombined(path) {
		both := filepath.Join(path, combinedName)
		return both, both
	}
	return filepath.Join(path, CurrentName, CertificateName), filepath.Join(path, CurrentName, KeyName)
}

// combinedNumber returns the number of the pair that the combined file names, and 0 if there is no such file.
func combinedNumber(path string) (int, error) {
	file := filepath.Join(path, combinedName)
	data, err := safefile.ReadRegular(file, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, unreadable(path, file, err)
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	n := pairNumber(string(bytes.TrimSuffix(line, []byte("\r"))))
	if n == 0 {
		return 0, &FolderError{Path: file, Problem: "does not begin with the name of a pair"}
	}
	return n, nil
}

// combine replaces the combined file by what is in a pair.
func (f *Folder) combine(pair string, access Access) error {
	data, err := safefile.ReadRegular(f.in(pair, bothName), maxFile)
	if err != nil {
		return err
	}
	defer clear(data)
	if err := f.change("switch"); err != nil {
		return err
	}
	all := append([]byte(pair+"\n"), data...)
	defer clear(all)
	if err := atomicfile.Write(f.in(combinedName), all, access.file()); err != nil {
		return err
	}
	return access.apply(f.in(combinedName), access.file())
}
