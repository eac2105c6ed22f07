package credfile

// FileError reports a file of profiles that could not be read or changed. The file is unchanged.
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
