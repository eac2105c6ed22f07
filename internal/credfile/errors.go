package credfile

// FileError says that a file of profiles cannot be read, or changed, whatever the cause. It is as it was.
type FileError struct{ Err error }

func (e *FileError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// asFileError makes a *FileError of an error there is.
func asFileError(err *error) {
	if *err != nil {
		*err = &FileError{*err}
	}
}
