package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// TestBackupDocument runs the blocks of docs/backup.md that are marked with "run", after the lines in the mark, in their
// order, as one script. Each other block is marked with the reason why it is not run.
func TestBackupDocument(t *testing.T) {
	t.Parallel()
	testenv.Tool(t, "age-keygen")
	data, err := os.ReadFile(filepath.Join(testenv.Root(t), "docs", "backup.md"))
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	bin := filepath.Join(work, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "kedge-ca")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(work, "password"), []byte("correct horse battery staple\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	script := "umask 077\nkedge-ca init\n" + markedBlocks(t, string(data))
	sh := exec.CommandContext(t.Context(), "sh", "-euc", script)
	sh.Dir = work
	sh.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "KEDGE_CA_DIR="+filepath.Join(work, "ca"), "KEDGE_CA_KEY_PASSWORD_FROM="+filepath.Join(work, "password"))
	if out, err := sh.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, script, out)
	}
}

// markedBlocks returns the lines of the blocks of a document that are to be run.
func markedBlocks(t *testing.T, text string) string {
	t.Helper()
	mark := regexp.MustCompile(`^<!-- (run|not run)(?:: (.+))? -->$`)
	var script strings.Builder
	kind := ""
	for n, line := range strings.Split(text, "\n") {
		m := mark.FindStringSubmatch(line)
		code := strings.HasPrefix(line, "    ")
		switch {
		case m != nil:
			kind = m[1]
			if kind == "run" {
				script.WriteString(m[2] + "\n")
			} else if m[2] == "" {
				t.Errorf("docs/backup.md:%d: there is no reason", n+1)
			}
		case code && kind == "":
			t.Errorf("docs/backup.md:%d: this block is neither run nor marked with the reason", n+1)
		case code && kind == "run":
			script.WriteString(strings.TrimPrefix(line, "    ") + "\n")
		case !code && line != "":
			kind = ""
		}
	}
	return script.String()
}
