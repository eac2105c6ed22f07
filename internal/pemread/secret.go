package pemread

import "bytes"

// Secret returns the password or PIN in a file, without what editors and echo add to it: a byte order
// mark and one line ending. UTF-16, in which no program was given the password of a key, is an
// *Error. The result is a part of data.
func Secret(data []byte) ([]byte, error) {
	if IsUTF16(data) || shortUTF16(data) {
		return nil, fail(Foreign, "it is UTF-16 text; save it as UTF-8")
	}
	data = bytes.TrimPrefix(data, []byte(mark))
	data = bytes.TrimSuffix(data, []byte("\n"))
	return bytes.TrimSuffix(data, []byte("\r")), nil
}

// shortUTF16 reports whether all of a short text is ASCII in UTF-16. No text in UTF-8 has such zeros.
func shortUTF16(data []byte) bool {
	if len(data) == 0 || len(data)%2 != 0 {
		return false
	}
	zeros := [2]int{}
	for i, b := range data {
		if b == 0 {
			zeros[i%2]++
		}
	}
	return zeros == [2]int{0, len(data) / 2} || zeros == [2]int{len(data) / 2, 0}
}
