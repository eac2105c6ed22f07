package credfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

func TestDiff(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, before, after, want string }{
		{"the same", "a\n", "a\n", ""},
		{"a new file", "", "[p]\nx = 1\n", "@@ -0,0 +1,2 @@\n+[p]\n+x = 1\n"},
		{"a line in the middle", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nnew\n6\n7\n8\n9\n", "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+new\n 6\n 7\n 8\n"},
		{"lines that repeat", "a\na\n", "a\na\na\n", "@@ -1,2 +1,3 @@\n a\n a\n+a\n"},
		{"no final newline", "a", "a\nb\n", "@@ -1,1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n"},
		{"secrets", "aws_secret_access_key = x\n", "aws_secret_access_key = x\nb\n", "@@ -1,1 +1,2 @@\n aws_secret_access_key = (hidden)\n+b\n"},
		{"secrets behind a colon", "aws_secret_access_key: x\n", "aws_secret_access_key: x\nb\n", "@@ -1,1 +1,2 @@\n aws_secret_access_key: (hidden)\n+b\n"},
		{"secrets on a line of their own", "aws_secret_access_key =\n\n  x\nc = 1\n  d\n", "aws_secret_access_key =\n\n  x\nc = 1\n  d\nb\n", "@@ -3,3 +3,4 @@\n   (hidden)\n c = 1\n   d\n+b\n"},
		{"secrets above the first line that is shown", "[a:token]\ntoken = \n# 1\n 2\n 3\n 4\n", "[a:token]\ntoken = \n# 1\n 2\n 3\n 4\nb\n", "@@ -4,3 +4,4 @@\n   (hidden)\n   (hidden)\n   (hidden)\n+b\n"},
	}
	for _, tt := range tests {
		got := Diff("f", tt.before, tt.after)
		if want := "--- f\n+++ f\n" + tt.want; tt.want != "" && got != want || tt.want == "" && got != "" {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, want)
		}
		if tt.want == "" || strings.HasPrefix(tt.name, "secrets") {
			continue
		}
		dir := t.TempDir() // patch takes it
		for name, content := range map[string]string{"f": tt.before, "diff": got} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		testenv.Run(t, dir, "git", "apply", "--unsafe-paths", "-p0", "diff")
		if data, err := os.ReadFile(filepath.Join(dir, "f")); err != nil || string(data) != tt.after {
			t.Errorf("%s: git apply made %q of it, %v", tt.name, data, err)
		}
	}
}
