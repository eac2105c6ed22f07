//go:build unix

package processline

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// awkward are words that some of the readers would take apart.
func awkward() []string {
	return []string{
		"/usr/local/bin/kedge", "", "a b", "it's", `say "x"`, "$HOME", "`id`", `back\slash`, `end\`, "~", "*", "a;b", "a&b|c", "#x", "x#y", "!!",
		"größe", `'"'`, `$'"\`, "-", "pkcs11:token=a%20b;object=c?pin-source=file:/x", "arn:aws:iam::111122223333:role/a+b=c,d.e@f_g-h", "%PATH%",
	}
}

// TestJoin_readers: Python's shlex, sh and the shell of node take the line apart into the same words.
func TestJoin_readers(t *testing.T) {
	t.Parallel()
	line, err := Join(awkward())
	if err != nil {
		t.Fatal(err)
	}
	const show = `import json, sys; print(json.dumps(sys.argv[1:]))`
	python := testenv.Tool(t, "python3")
	readers := map[string]*exec.Cmd{
		"shlex": exec.Command(python, "-c", `import json, shlex, sys; print(json.dumps(shlex.split(sys.argv[1])))`, line),
		"sh":    exec.Command("sh", "-c", python+" -c '"+show+"' "+line),
		"node":  exec.Command(testenv.Tool(t, "node"), "-e", `require("child_process").exec(process.argv[1], (e, out) => process.stdout.write(out))`, python+" -c '"+show+"' "+line),
	}
	for name, cmd := range readers {
		cmd.Env = []string{"LC_ALL=C.UTF-8", "HOME=/home", "PATH=/usr/bin:/bin"}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []string
		if err := json.Unmarshal(out, &got); err != nil || !slices.Equal(got, awkward()) {
			t.Errorf("%s: %v, %q", name, err, got)
		}
	}
	if got, err := Split(line); err != nil || !slices.Equal(got, awkward()) {
		t.Errorf("Split: %v, %q", err, got)
	}
}

func TestJoin_refuses(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"a\nb", "a\x00", "a\rb", "\x1b"} {
		if line, err := Join([]string{"kedge", word}); err == nil {
			t.Errorf("%q: %q", word, line)
		}
	}
	for _, word := range []string{`a"b`, "%PATH%", "a!b", "a^b", `C:\`} {
		if line, err := quote(word, true); err == nil {
			t.Errorf("Windows, %q: %q", word, line)
		}
	}
	if got, err := quote(`C:\Program Files\kedge.exe`, true); err != nil || got != `"C:\Program Files\kedge.exe"` {
		t.Errorf("Windows: %s, %v", got, err)
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, line := range []string{`"a`, `'a`, `a\`} {
		if got, err := Split(line); err == nil {
			t.Errorf("%s: %q", line, got)
		}
	}
}

// FuzzJoin: what is joined is split into the same words.
func FuzzJoin(f *testing.F) {
	f.Add(strings.Join(awkward(), "\n"))
	f.Fuzz(func(t *testing.T, text string) {
		words := strings.Split(text, "\n")
		line, err := Join(words)
		if err != nil {
			return
		}
		if got, err := Split(line); err != nil || !slices.Equal(got, words) {
			t.Errorf("%q became %s, and %q: %v", words, line, got, err)
		}
	})
}
