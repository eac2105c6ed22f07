package main

import (
	"archive/tar"
	"bytes"
	"fmt"
)

// file is a file of the layer, or a folder, whose name ends with a slash.
type file struct {
	name string
	mode int64
	uid  int
	data []byte
}

// layer returns the file system of the image as a tar file: the program, CA certificates where Go looks for them, its
// user, and two folders that it can write to.
func (i image) layer(program []byte) ([]byte, error) {
	user := fmt.Sprintf("%s:x:%d:%d::%s:/sbin/nologin\n", i.name, i.uid, i.uid, i.state())
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range []file{
		{name: "etc/", mode: 0o755},
		{name: "etc/group", mode: 0o644, data: fmt.Appendf(nil, "%s:x:%d:\n", i.name, i.uid)},
		{name: "etc/passwd", mode: 0o644, data: []byte(user)},
		{name: "etc/ssl/", mode: 0o755},
		{name: "etc/ssl/certs/", mode: 0o755},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, data: i.certificates},
		{name: "tmp/", mode: 0o1777},
		{name: "usr/", mode: 0o755},
		{name: "usr/bin/", mode: 0o755},
		{name: "usr/bin/" + i.name, mode: 0o755, data: program},
		{name: "var/", mode: 0o755},
		{name: "var/lib/", mode: 0o755},
		{name: i.state()[1:] + "/", mode: 0o700, uid: i.uid},
	} {
		if err := i.put(w, f); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

func (i image) put(w *tar.Writer, f file) error {
	header := tar.Header{
		Name: f.name, Mode: f.mode, Uid: f.uid, Gid: f.uid, Size: int64(len(f.data)), ModTime: i.date,
		Typeflag: tar.TypeReg, Format: tar.FormatUSTAR,
	}
	if f.name[len(f.name)-1] == '/' {
		header.Typeflag = tar.TypeDir
	}
	if err := w.WriteHeader(&header); err != nil {
		return err
	}
	_, err := w.Write(f.data)
	return err
}
