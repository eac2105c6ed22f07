package credfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzEdit: every byte outside of the profile is kept, every line of it that is not written too,
// and the Go SDK reads what was written.
func FuzzEdit(f *testing.F) {
	for _, content := range []string{
		"", "[p]\r\naws_access_key_id = x\r\n", "[a]\nx = 1\n\n[ p ]\naws_session_token = x # c\n  more\n", "[p]\n[p]\nregion=x\n  s = t",
		"x\n[a]\n  [p]\n aws_secret_access_key:x", "[p]\r[q]\r", "[p]\nregion =\n  aws_access_key_id = x\n", "\xff[p]\n\x00", "[p]]\n[p#]\n[p]#\n",
		"[p]\n [p]\n \xd1\r\x1a",
	} {
		f.Add(content)
	}
	path := filepath.Join(f.TempDir(), "credentials")
	f.Fuzz(func(t *testing.T, before string) {
		s := mustSection(t, Credentials, "p")
		after, err := edit(before, s, keys())
		if err != nil {
			if after != "" {
				t.Errorf("an error, and %q", after)
			}
			return
		}
		checkOutside(t, outside(before, s), outside(after, s))
		checkInside(t, rest(before, s), rest(after, s))
		if again, err := edit(after, s, keys()); err != nil || again != after {
			t.Errorf("the second time: %v\n%q\n%q", err, after, again)
		}
		if err := os.WriteFile(path, []byte(after), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := readGoSDK(path, "p"); got == nil && strings.ContainsAny(before, `"'`) {
			return // one quote as a value makes the SDK panic
		} else if got == nil || *got != (found{"AKIDNEW", "new/secret+=", "newToken=="}) {
			t.Errorf("the Go SDK reads %+v from %q", got, after)
		}
	})
}

// outside returns what does not belong to the profile's sections.
func outside(content string, s Section) string {
	var b strings.Builder
	lines := split(content)
	at := 0
	sections(lines, func(start, end int) {
		if found, _ := s.is(lines[start].name); found {
			appendLines(&b, lines[at:start])
			at = end
		}
	})
	appendLines(&b, lines[at:])
	return b.String()
}

func checkOutside(t *testing.T, before, after string) {
	t.Helper()
	if more, ok := strings.CutPrefix(after, before); !ok || strings.Trim(more, "\r\n") != "" || len(more) > 4 {
		t.Errorf("outside of the profile was %q and is %q", before, after)
	}
}

// rest returns the profile's comments and settings that are not written.
func rest(content string, s Section) []string {
	var all []string
	lines := split(content)
	sections(lines, func(start, end int) {
		found, _ := s.is(lines[start].name)
		for _, l := range lines[start:end] {
			if text := strings.TrimRight(l.text, "\r\n"); found && (l.kind == comment || l.kind == setting && !strings.HasPrefix(l.name, "aws_")) {
				all = append(all, text)
			}
		}
	})
	return all
}

func checkInside(t *testing.T, before, after []string) {
	t.Helper()
	for _, line := range before {
		for len(after) > 0 && after[0] != line {
			after = after[1:]
		}
		if len(after) == 0 {
			t.Fatalf("the profile lost %q", line)
		}
		after = after[1:]
	}
}
