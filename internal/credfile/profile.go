package credfile

import (
	"io/fs"
	"os"
)

// Profile is the content of a file about one profile.
type Profile struct {
	Found    bool
	Settings map[string]string // as the Go SDK reads them
	Problem  error             // why the AWS CLI and boto3 cannot read the file, or nil
	Mode     fs.FileMode       // of the file; 0 if there is none
}

// Problem returns an error that names the line because of which the AWS CLI and boto3 cannot read
// the file, or nil.
func Problem(content string) error {
	_, err := readStrict(content)
	return err
}

// Read returns a profile from the file at path. If the file does not exist, the profile is empty. The
// error is a *FileError.
func Read(path string, s Section) (_ Profile, err error) {
	defer asFileError(&err)
	e, err := load(path, os.O_RDONLY)
	if err != nil || e.file == nil {
		return Profile{}, err
	}
	p := Profile{Settings: map[string]string{}, Mode: e.mode}
	p.Problem = Problem(e.content)
	for name, values := range readLenient(e.content) {
		if name != s.header() && (s.form != Config || name != "profile "+s.name) {
			continue
		}
		p.Found = true
		for key, value := range values {
			p.Settings[key] = value
		}
	}
	return p, nil
}
