package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kedge/internal/config"
	"kedge/internal/hostdir"
	"kedge/internal/keys"
	"kedge/internal/role"
	"kedge/internal/safefile"
	"kedge/signer"
)

// The IDs of the checks of files.
const (
	idCertificateFile   = "certificate-file"
	idKeyFile           = "key-file"
	idKeyMode           = "key-mode"
	idIntermediatesFile = "intermediates-file"
	idPasswordFile      = "password-file"
	idBundle            = "ca-bundle"
)

func fileSteps() []step {
	return []step{
		{idCertificateFile, "certificate's file", idKeys + " " + idNeeded, func(e *Examination, _ context.Context) *Finding {
			return e.judgeInput(lookInput(e.Settings.Certificate))
		}},
		{idKeyFile, "private key's file", idKeys + " " + idNeeded, func(e *Examination, _ context.Context) *Finding { return e.judgeInput(lookInput(e.keyInput())) }},
		{idKeyMode, "who reads the key", idKeyFile, func(e *Examination, _ context.Context) *Finding {
			return judgeMode(e.keyInput(), lookMode("private key", e.keyInput()))
		}},
		{idIntermediatesFile, "intermediates' file", idKeys, func(e *Examination, _ context.Context) *Finding {
			return e.judgeInput(lookInput(e.Settings.Intermediates))
		}},
		{idPasswordFile, "password's file", idKeys, (*Examination).judgePassword},
		{idBundle, "CA bundle", idTogether, (*Examination).judgeBundle},
	}
}

// keyInput is the flag that says where the key is.
func (e *Examination) keyInput() string {
	if e.Settings.PrivateKey == "" {
		return e.Settings.Certificate
	}
	return e.Settings.PrivateKey
}

// input is where a flag leads, and whether this user can read it.
type input struct {
	text string // the value of the flag, without secrets
	path string // of a file; else empty
	mode fs.FileMode
	err  error
}

// lookInput opens a file as the commands do, and reads nothing. Other inputs are read once, by the check of the
// pair.
func lookInput(value string) input {
	in := input{text: value}
	if keys.IsHardwareURI(value) {
		in.text = keys.WithoutSecrets(value)
	}
	parsed, err := config.ParseInput(value)
	if err != nil || value == "" {
		return in
	}
	in.text = parsed.Name()
	path, isFile := parsed.Path()
	if !isFile {
		return in
	}
	in.path = path
	file, err := safefile.OpenInput(path)
	if err != nil {
		in.err = &role.KeyError{Err: &signer.FileError{File: path, Err: err}}
		return in
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil {
		in.mode = info.Mode()
	}
	return in
}

// judgeInput judges an input that was looked at.
func (e *Examination) judgeInput(in input) *Finding {
	switch {
	case in.text == "":
		return ok("none is given")
	case in.err != nil:
		return unreadableFile(e.Advise.failure(in.err), in)
	case in.path == "":
		return ok(in.text)
	}
	return ok(fmt.Sprintf("%s, mode %04o", in.path, in.mode.Perm()))
}

// unreadableFile adds the command that makes a file readable, or shows what there is.
func unreadableFile(f *Finding, in input) *Finding {
	switch {
	case errors.Is(in.err, fs.ErrPermission):
		return letRead(f, in.path, config.PrivateGroup())
	case errors.Is(in.err, fs.ErrNotExist):
		return f.run("ls -la %s", nearestFolder(in.path))
	}
	return f.run("ls -ld %s", in.path)
}

// letRead adds the command that lets a group read a file, if nobody loses access by it; else it shows every folder
// on the way. Files in the folder of an identity keep the access that kedge gave them, also if a link leads there.
func letRead(f *Finding, path, group string) *Finding {
	path, err := filepath.Abs(path)
	if err != nil {
		return f
	}
	info, err := os.Stat(path)
	if err != nil || group == "" || info.Mode().Perm()&0o070 != 0 || isEnrolled(path) {
		way := []string{path}
		for dir := filepath.Dir(path); dir != way[0]; dir = filepath.Dir(dir) {
			way = append([]string{dir}, way...)
		}
		return f.run("ls -ld"+strings.Repeat(" %s", len(way)), way...)
	}
	return f.run("sudo chgrp %s %s && sudo chmod g+r %s", group, path, path)
}

// isEnrolled reports whether a file is in the folder of the identity of an enrolled host.
func isEnrolled(path string) bool {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return true
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		certificate, _ := hostdir.Files(dir)
		if _, err := os.Lstat(certificate); err == nil || errors.Is(err, fs.ErrPermission) {
			return true
		}
		if dir == filepath.Dir(dir) {
			return false
		}
	}
}

// nearestFolder returns the deepest folder above a path that is there.
func nearestFolder(path string) string {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && info.IsDir() || dir == filepath.Dir(dir) {
			return dir
		}
	}
}

// lookMode returns what other users can do with the file of a secret, in the words of the commands.
func lookMode(what, value string) (warnings []string) {
	in, err := config.ParseInput(value)
	if err != nil {
		return nil
	}
	if path, isFile := in.Path(); isFile {
		return config.OpenToOthers(what, path)
	}
	return nil
}

// judgeMode judges what lookMode returned.
func judgeMode(value string, warnings []string) *Finding {
	if len(warnings) == 0 {
		return ok("its owner, and a group at most")
	}
	seen, _, _ := strings.Cut(warnings[0], "; run:")
	f := warning(seen, "let its owner alone read it")
	in, err := config.ParseInput(value)
	if err != nil {
		return f
	}
	if path, isFile := in.Path(); isFile && config.IsOwner(path) {
		f.run("chmod 600 %s", path)
	}
	return f
}

// judgePassword judges where a password comes from.
func (e *Examination) judgePassword(context.Context) *Finding {
	value := e.Settings.PasswordFrom
	if value == "prompt" {
		return warning("it is asked for", "programs that run kedge have no terminal to ask on: name a file with --key-password-from")
	}
	f := e.judgeInput(lookInput(value))
	if mode := judgeMode(value, lookMode("password file", value)); f.State == OK && mode.State != OK {
		return mode
	}
	return f
}

// judgeBundle reads the CA bundle there may be.
func (e *Examination) judgeBundle(context.Context) *Finding {
	bundle, err := config.CABundle(e.Settings.CABundle, e.Environment)
	if err != nil {
		return e.wrong(err, "")
	}
	pool, unread, err := bundle.Roots()
	switch {
	case err != nil:
		return e.Advise.failure(err)
	case len(unread) > 0:
		return warning(strings.Join(unread, "; "), "leave it out, or have it made again, if the server's CA is that one")
	case pool == nil:
		return ok("none: the CAs of the system are trusted")
	}
	return ok(bundle.Setting() + " is used in the place of the system's CAs")
}
