package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
)

func demo() *cobra.Command {
	root := &cobra.Command{Use: "demo"}
	work := &cobra.Command{Use: "work", RunE: func(c *cobra.Command, _ []string) error {
		text, _ := c.Flags().GetString("fail")
		if text != "" {
			return errors.New(text)
		}
		c.Println("done")
		return nil
	}}
	work.Flags().String("fail", "", "")
	work.Flags().String("file", "", "")
	RefuseEmpty(work.Flags(), "file")
	work.Flags().String("dir", "", "the `FOLDER`")
	work.Flags().StringSlice("list", nil, "a `file`")
	work.Flags().StringArray("another", nil, "a `PATH`")
	work.Flags().Bool("a", false, "")
	work.Flags().Bool("b", false, "")
	work.Flags().Duration("wait", 0, "")
	work.Flags().Int("count", 0, "")
	work.MarkFlagsMutuallyExclusive("a", "b")
	for _, name := range []string{"c", "d", "e"} {
		work.Flags().Bool(name, false, "")
	}
	work.MarkFlagsRequiredTogether("c", "d", "e")
	root.AddCommand(work, NewVersion("demo"))
	return root
}

func TestMain_messages(t *testing.T) {
	refused := func(error) Advice { return Advice{Code: ExitRefused, Hint: "try again"} }
	tests := []struct {
		name   string
		args   []string
		advise func(error) Advice
		code   int
		stderr string
	}{
		{"unknown command", []string{"wrok"}, nil, ExitUsage, "demo: error: unknown command \"wrok\"\ndemo: hint: did you mean \"demo work\"? run \"demo --help\" for the commands\n"},
		{"unknown command with --help", []string{"wrok", "--help"}, nil, ExitUsage, "demo: error: unknown command \"wrok\"\ndemo: hint: did you mean \"demo work\"? run \"demo --help\" for the commands\n"},
		{"unknown command like no other", []string{"nosuch", "-h"}, nil, ExitUsage, "demo: error: unknown command \"nosuch\"\ndemo: hint: run \"demo --help\" for the commands\n"},
		{"misspelt flag", []string{"work", "--cuont"}, nil, ExitUsage, "demo: error: unknown flag: --cuont\ndemo: hint: did you mean --count? run \"demo work --help\" for the flags\n"},
		{"one hyphen", []string{"work", "-wait=5s"}, nil, ExitUsage, "demo: error: unknown shorthand flag: 'w' in -wait=5s\ndemo: hint: did you mean --wait? run \"demo work --help\" for the flags\n"},
		{"unknown flag", []string{"work", "--nope"}, nil, ExitUsage, "demo: error: unknown flag: --nope\ndemo: hint: run \"demo work --help\" for the flags\n"},
		{"extra argument", []string{"work", "x"}, nil, ExitUsage, "demo: error: unexpected argument \"x\"\ndemo: hint: run \"demo work --help\" for the flags\n"},
		{"flags that exclude each other", []string{"work", "--a", "--b"}, nil, ExitUsage, "demo: error: --a and --b exclude each other\ndemo: hint: run \"demo work --help\" for the flags\n"},
		{"flags that go together", []string{"work", "--c", "--e"}, nil, ExitUsage, "demo: error: --c, --d and --e go together: --d is missing\ndemo: hint: run \"demo work --help\" for the flags\n"},
		{"a duration without unit", []string{"work", "--wait", "5"}, nil, ExitUsage, "demo: error: --wait: \"5\" is not a duration\ndemo: hint: write a number with a unit, such as 5s, 10m or 24h; there is none for days\n"},
		{"not a number", []string{"work", "--count", "1h"}, nil, ExitUsage, "demo: error: --count: \"1h\" is not a whole number\ndemo: hint: run \"demo work --help\" for the flags\n"},
		{"help for an unknown command", []string{"help", "wrok"}, nil, ExitUsage, "demo: error: unknown command \"wrok\"\ndemo: hint: did you mean \"demo work\"? run \"demo --help\" for the commands\n"},
		{"help for an unknown subcommand", []string{"help", "work", "x"}, nil, ExitUsage, "demo: error: unknown command \"x\"\ndemo: hint: run \"demo work --help\" for the flags\n"},
		{"empty", []string{"work", "--file", ""}, nil, ExitUsage, "demo: error: --file is empty: give it a value, or leave it out\ndemo: hint: run \"demo work --help\" for the flags\n"},
		{"empty folder", []string{"work", "--dir="}, nil, ExitUsage, "demo: error: --dir is empty: give it a value, or leave it out\ndemo: hint: run \"demo work --help\" for the flags\n"},
		{"empty list of files", []string{"work", "--list="}, nil, ExitUsage, "demo: error: --list is empty: give it a value, or leave it out\ndemo: hint: run \"demo work --help\" for the flags\n"},
		{"an empty file of several", []string{"work", "--another", "a", "--another", ""}, nil, ExitUsage, "demo: error: --another is empty: give it a value, or leave it out\ndemo: hint: run \"demo work --help\" for the flags\n"},
		{"failure without advice", []string{"work", "--fail", "it broke"}, nil, ExitFailed, "demo: error: it broke\n"},
		{"advice", []string{"work", "--fail", "it broke"}, refused, ExitRefused, "demo: error: it broke\ndemo: hint: try again\n"},
		{"a message cannot forge another", []string{"work", "--fail", "a\ndemo: error: b\x1b[2J"}, nil, ExitFailed, "demo: error: a demo: error: b [2J\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := Main(context.Background(), Program{Name: "demo", Root: demo(), Advise: tt.advise}, tt.args, Streams{Out: &stdout, Err: &stderr})
			if code != tt.code || stderr.String() != tt.stderr {
				t.Errorf("exit %d, stderr:\n%s\nwant %d:\n%s", code, stderr.String(), tt.code, tt.stderr)
			}
			if stdout.Len() != 0 {
				t.Errorf("stdout: %q", stdout.String())
			}
		})
	}
}

// TestMain_interrupted: a context that was canceled is a signal; what another program writes of one is not.
func TestMain_interrupted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err    error
		stderr string
	}{
		{fmt.Errorf("ca.crl: %w", context.Canceled), "demo: error: ca.crl: interrupted\ndemo: hint: what was finished before that stays; run the same again\n"},
		{context.Canceled, "demo: error: interrupted\ndemo: hint: what was finished before that stays; run the same again\n"},
		{errors.New("the server: context canceled"), "demo: error: the server: context canceled\n"},
	} {
		var stderr bytes.Buffer
		root := &cobra.Command{Use: "demo", RunE: func(*cobra.Command, []string) error { return tt.err }}
		code := Main(t.Context(), Program{Name: "demo", Root: root}, []string{}, Streams{Out: io.Discard, Err: &stderr})
		if code != ExitFailed || stderr.String() != tt.stderr {
			t.Errorf("%v: exit %d: %s", tt.err, code, &stderr)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestMain_outputThatTakesNothing(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"help", "work"}, {}, {"version"}, {"version", "--json"}} {
		var stderr bytes.Buffer
		code := Main(context.Background(), Program{Name: "demo", Root: demo()}, args, Streams{Out: fullDisk{}, Err: &stderr})
		if want := "demo: error: standard output: no space left\n"; code != ExitFailed || stderr.String() != want {
			t.Errorf("%q: exit %d, stderr %q, want %q", args, code, stderr.String(), want)
		}
	}
}

// goneReader is the writing end of a pipe whose reader has seen enough.
type goneReader struct{}

func (goneReader) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestMain_helpThatIsNotReadToTheEnd(t *testing.T) {
	var stderr bytes.Buffer
	if code := Main(context.Background(), Program{Name: "demo", Root: demo()}, []string{"--help"}, Streams{Out: goneReader{}, Err: &stderr}); code != ExitDone || stderr.Len() > 0 {
		t.Errorf("exit %d: %s", code, &stderr)
	}
}
