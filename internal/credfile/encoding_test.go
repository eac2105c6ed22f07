//go:build unix

package credfile

import (
	"errors"
	"path/filepath"
	"testing"
)

// A file that the AWS CLI and boto3 cannot read is neither read nor written.
func TestEncoding(t *testing.T) {
	t.Parallel()
	const utf16 = "is UTF-16, which the AWS SDKs do not read"
	const zero = "has bytes that are 0, as UTF-16 and files that are not text have, which the AWS SDKs do not read"
	const mark = "begins with a byte order mark (BOM), which the AWS CLI and boto3 take for a part of its first line"
	for content, problem := range map[string]string{
		"[p]\n# gr\xfc\xdfe\n":                    "is not UTF-8 in line 2: the AWS CLI and boto3 refuse the whole file",
		"\xe9":                                    "is not UTF-8 in line 1: the AWS CLI and boto3 refuse the whole file",
		"[p]\r\n\r\n[q]\r\nregion = \xc3":         "is not UTF-8 in line 4: the AWS CLI and boto3 refuse the whole file",
		"[p]\n# \xed\xa0\x80\n":                   "is not UTF-8 in line 2: the AWS CLI and boto3 refuse the whole file",
		"\xff\xfe[\x00p\x00]\x00\n\x00":           utf16,
		"\xfe\xff\x00[\x00p\x00]\x00\n":           utf16,
		"[\x00p\x00]\x00\n\x00":                   zero,
		"\x00[\x00p\x00]\x00\n":                   zero,
		"[p]\nregion = x\x00\n":                   zero,
		"\ufeff[p]\naws_access_key_id = AKIA\n":   mark,
		"\ufeff":                                  mark,
		"# grüße, \U0001f511\n[q]\n":              "",
		"[q]\n# \ufeff in the middle is a sign\n": "",
		"": "",
	} {
		path := filepath.Join(t.TempDir(), "f")
		write(t, path, content, 0o600)
		s := mustSection(t, Credentials, "p")
		_, readErr := Read(path, s)
		_, _, previewErr := Preview(path, s, keys())
		for name, err := range map[string]error{"Read": readErr, "Preview": previewErr, "Update": Update(t.Context(), path, s, keys())} {
			e, ok := errors.AsType[*EncodingError](err)
			if ok != (problem != "") || ok && e.Error() != path+" "+problem || !ok && err != nil {
				t.Errorf("%s of %q: %v", name, content, err)
			}
		}
		if problem != "" {
			want(t, path, content)
		}
	}
}
