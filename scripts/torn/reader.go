package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
)

// The file except the lines that are written: comments, both line endings, long lines, unknown
// keys, and no line ending after the last line.
const (
	before  = "# keys of this host\r\n[default]\r\naws_access_key_id=AKIDDEFAULT\r\n\r\n"
	between = "region = eu-west-1\n; the next one is for tests\n[ spaces ]\nx\t=\t1 # kept\n\n"
	after   = "# the last profile\nunknown : value\n[long]\nkey = " + long + long + "\n[end]\naws_session_token = the last line"
	long    = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

var errUnexpected = errors.New("it is not what was there before")

// seen is what all readers saw together.
type seen struct {
	mutex    sync.Mutex
	count    int
	versions map[string]bool
}

// read reads the file until ctx ends, or a read is wrong.
func (t *rehearsal) read(ctx context.Context, all *seen) error {
	newest := [2]int{}
	for ctx.Err() == nil {
		content, err := os.ReadFile(t.path)
		if err != nil {
			return err
		}
		now, err := t.check(string(content))
		if err != nil {
			return fmt.Errorf("%w; the file:\n%s", err, content)
		}
		for i, profile := range profiles() {
			if now[i] < newest[i] {
				return fmt.Errorf("the profile %s was set back from session %d to %d", profile, newest[i], now[i])
			}
		}
		newest = now
		all.mutex.Lock()
		all.count++
		all.versions[fmt.Sprint(now)] = true
		all.mutex.Unlock()
	}
	return nil
}

// check returns the numbers of the sessions in the two profiles.
func (t *rehearsal) check(content string) (now [2]int, err error) {
	rest := content
	for i, text := range []string{before + "[web]\n", between + "[db]\n"} {
		var ok bool
		if rest, ok = strings.CutPrefix(rest, text); !ok {
			return now, fmt.Errorf("before the profile %s: %w", profiles()[i], errUnexpected)
		}
		lines := strings.SplitAfterN(rest, "\n", 5)
		if len(lines) < 5 {
			return now, fmt.Errorf("the profile %s ends early", profiles()[i])
		}
		var values [4]string
		for n, key := range []string{"aws_access_key_id", "aws_secret_access_key", "aws_session_token", "x_security_token_expires"} {
			if values[n], ok = strings.CutPrefix(strings.TrimRight(lines[n], "\r\n"), key+" = "); !ok {
				return now, fmt.Errorf("the profile %s has the line %q for %s", profiles()[i], lines[n], key)
			}
		}
		if now[i], ok = t.number(keys{values[0], values[1], values[2]}); !ok {
			return now, fmt.Errorf("the profile %s has keys that do not belong together", profiles()[i])
		}
		rest = lines[4]
	}
	if rest != after {
		return now, fmt.Errorf("after the last profile: %w", errUnexpected)
	}
	return now, nil
}
