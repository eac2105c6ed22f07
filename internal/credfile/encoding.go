package credfile

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// EncodingError reports a file of profiles that is not plain UTF-8. The AWS CLI and boto3 cannot
// read it, or miss its first line, so it is not written.
type EncodingError struct {
	Path    string
	Problem string // the rest of a sentence that begins with the file
}

func (e *EncodingError) Error() string { return e.Path + " " + e.Problem }

// checkEncoding returns an *EncodingError or nil.
func checkEncoding(path, content string) error {
	problem := ""
	switch {
	case strings.HasPrefix(content, "\xff\xfe"), strings.HasPrefix(content, "\xfe\xff"):
		problem = "is UTF-16, which the AWS SDKs do not read"
	case strings.Contains(content, "\x00"):
		problem = "has bytes that are 0, as UTF-16 and files that are not text have, which the AWS SDKs do not read"
	case strings.HasPrefix(content, "\ufeff"):
		problem = "begins with a byte order mark (BOM), which the AWS CLI and boto3 take for a part of its first line"
	case !utf8.ValidString(content):
		problem = fmt.Sprintf("is not UTF-8 in line %d: the AWS CLI and boto3 refuse the whole file", invalidLine(content))
	default:
		return nil
	}
	return &EncodingError{path, problem}
}

// invalidLine returns the number of the first line that is not UTF-8.
func invalidLine(content string) int {
	number := 1
	for text := range strings.Lines(content) {
		if !utf8.ValidString(text) {
			break
		}
		number++
	}
	return number
}
