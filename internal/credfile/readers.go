package credfile

// ReadAsBotocore returns the settings of a file by section header and key, as botocore reads them. The
// error names the line because of which it refuses the whole file.
func ReadAsBotocore(content string) (map[string]map[string]string, error) {
	return readStrict(content)
}

// ReadAsGo returns the settings of a file by section header and key, as the Go SDK reads them. It
// refuses no file.
func ReadAsGo(content string) map[string]map[string]string { return readLenient(content) }
