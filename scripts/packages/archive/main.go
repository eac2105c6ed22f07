// Command archive packs a folder into a .tar.gz or .zip that depends on names, contents and permission to execute alone: not on
// the user, the umask, the time zone, or the order in which the folder is read. Times are $SOURCE_DATE_EPOCH.
//
// usage: archive OUT FOLDER
package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "archive:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: archive OUT FOLDER")
	}
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	out, err := os.Create(args[0])
	if err != nil {
		return err
	}
	if strings.HasSuffix(args[0], ".zip") {
		err = writeZip(out, args[1], time.Unix(seconds, 0).UTC())
	} else {
		err = writeTar(out, args[1], time.Unix(seconds, 0).UTC())
	}
	return errors.Join(err, out.Close())
}

// entry is a file or folder to pack.
type entry struct {
	name string // with slashes; a folder's ends with one
	path string
	mode fs.FileMode
	size int64
}

// entries returns what is in a folder, sorted, below the name of the folder itself.
func entries(dir string) (all []entry, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(filepath.Dir(dir), path)
		e := entry{name: filepath.ToSlash(name), path: path, mode: 0o644}
		switch {
		case d.IsDir():
			e.name, e.mode = e.name+"/", 0o755
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s is neither a file nor a folder", path)
		default:
			if e.size = info.Size(); info.Mode()&0o100 != 0 {
				e.mode = 0o755
			}
		}
		all = append(all, e)
		return err
	})
	return all, err
}

func writeTar(out io.Writer, dir string, date time.Time) error {
	all, err := entries(dir)
	if err != nil {
		return err
	}
	compressed, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(compressed)
	for _, e := range all {
		header := tar.Header{Name: e.name, Mode: int64(e.mode), Size: e.size, ModTime: date, Typeflag: tar.TypeReg, Format: tar.FormatUSTAR}
		if strings.HasSuffix(e.name, "/") {
			header.Typeflag = tar.TypeDir
		}
		if err := archive.WriteHeader(&header); err != nil {
			return err
		}
		if err := e.copy(archive); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), compressed.Close())
}

func writeZip(out io.Writer, dir string, date time.Time) error {
	all, err := entries(dir)
	if err != nil {
		return err
	}
	archive := zip.NewWriter(out)
	for _, e := range all {
		header := zip.FileHeader{Name: e.name, Modified: date, Method: zip.Deflate}
		header.SetMode(e.mode)
		if strings.HasSuffix(e.name, "/") {
			header.SetMode(e.mode | fs.ModeDir)
		}
		w, err := archive.CreateHeader(&header)
		if err != nil {
			return err
		}
		if err := e.copy(w); err != nil {
			return err
		}
	}
	return archive.Close()
}

// copy writes the content of a file.
func (e entry) copy(w io.Writer) error {
	if strings.HasSuffix(e.name, "/") {
		return nil
	}
	f, err := os.Open(e.path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
