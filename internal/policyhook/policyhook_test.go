//go:build unix

package policyhook

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/ca/enroll"
	"kedge/internal/safefile"
)

// shell runs a script. A file that was just written could not be run while another test starts a
// process, which inherits the descriptor for a moment.
func shell(script string) []string { return []string{"/bin/sh", "-c", script} }

// long is a timeout that no program reaches which is to answer.
const long = 5 * time.Minute

// TestAsk: what each answer is taken for.
func TestAsk(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		`echo '{"allow": true}'`:                                                       "{true  0s}",
		`echo '{"allow": false, "reason": "not in the inventory"}'`:                    "{false not in the inventory 0s}",
		`echo '{"allow": true, "lifetime": "8h", "reason": "new"}'`:                    "{true new 8h0m0s}",
		`grep -q '"name":"web-01"' && echo '{"allow": true}'`:                          "{true  0s}",
		`echo words >&2; echo '{"allow": true}'`:                                       "{true  0s}",
		`[ -z "$HOME$USER$KEDGE_CONFIG" ] && [ "$PWD" = / ] && echo '{"allow": true}'`: "{true  0s}",

		`exit 0`:                                 "its answer is not",
		`echo no`:                                "its answer is not",
		`echo '{}'`:                              "its answer has no allow",
		`echo '{"allow": null}'`:                 "its answer has no allow",
		`echo '{"allow": "true"}'`:               "its answer is not",
		`echo '{"allow": true, "names": ["x"]}'`: "its answer is not",

		`echo '{"allow": true} {"allow": false}'`:                        "more behind",
		`echo '{"allow": true, "lifetime": "1s"}'`:                       "less than",
		`echo '{"allow": true, "lifetime": "-8h"}'`:                      "less than",
		`echo '{"allow": true, "lifetime": "soon"}'`:                     "its answer is not",
		`echo '{"allow": true}'; exit 3`:                                 "exit status 3",
		`echo '{"allow": true}'; echo broken >&2; exit 1`:                `exit status 1: "broken"`,
		`echo '{"allow": true}'; kill -9 $$`:                             "killed",
		`head -c 100000 /dev/zero | tr '\0' ' '; echo '{"allow": true}'`: "more than 65536 bytes",
	} {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			p, err := New(shell(script), long)
			if err != nil {
				t.Fatal(err)
			}
			r, err := p.Ask(t.Context(), enroll.Question{Schema: 1, Name: "web-01"})
			got := fmt.Sprint(r)
			if err != nil {
				got = err.Error()
			}
			if (err == nil) != strings.HasPrefix(want, "{") || !strings.Contains(got, want) {
				t.Errorf("%s: %s, want %s", script, got, want)
			}
			if err != nil && r != (enroll.Ruling{}) {
				t.Errorf("%s: %+v with an error", script, r)
			}
		})
	}
}

// TestAsk_late: a program that does not answer in time is ended, with what it has started.
func TestAsk_late(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"sleep 600", "sleep 600 & wait", `echo '{"allow": true}'; exec sleep 600`, "trap '' TERM; sleep 600; sleep 600"} {
		p, err := New(shell(script), 200*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := p.Ask(t.Context(), enroll.Question{}); err == nil || r.Allow || !strings.Contains(err.Error(), "no answer within 200ms") {
			t.Errorf("%s: %+v, %v", script, r, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p, err := New(shell(`echo '{"allow": true}'`), long)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := p.Ask(ctx, enroll.Question{}); err == nil || r.Allow {
		t.Errorf("after the request has ended: %+v, %v", r, err)
	}
}

// TestNew: who can change the program is the operator alone, when it is named and when it is run.
func TestNew(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy")
	if err := os.WriteFile(path, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	p, err := New([]string{path, "an argument"}, long)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o722); err != nil {
		t.Fatal(err)
	}
	if r, err := p.Ask(t.Context(), enroll.Question{}); !isUnsafe(err) || r.Allow {
		t.Errorf("changeable by others since: %+v, %v", r, err)
	}
	if _, err := New([]string{path}, long); !isUnsafe(err) {
		t.Errorf("changeable by others: %v", err)
	}
	if _, err := New([]string{filepath.Dir(path)}, long); !isUnsafe(err) {
		t.Errorf("a folder: %v", err)
	}
	open := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(open, "policy"), nil, 0o700), os.Chmod(open, 0o777)); err != nil {
		t.Fatal(err)
	}
	if _, err := New([]string{filepath.Join(open, "policy")}, long); !isUnsafe(err) {
		t.Errorf("in a folder of all: %v", err)
	}
	if _, err := New([]string{filepath.Join(open, "none")}, long); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
	if _, err := New(nil, long); err == nil {
		t.Error("no command")
	}
}

func isUnsafe(err error) bool {
	_, ok := errors.AsType[*safefile.UnsafeError](err)
	return ok
}

// TestAsk_together: many requests wait for one another, and all get an answer.
func TestAsk_together(t *testing.T) {
	t.Parallel()
	p, err := New(shell(`echo '{"allow": true}'`), long)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 3 * maxRunning {
		group.Go(func() {
			if r, err := p.Ask(t.Context(), enroll.Question{}); err != nil || !r.Allow {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
	group.Wait()
}
