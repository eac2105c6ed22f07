// Package cli is what the commands of kedge share: streams, the lines "kedge: error: …" and
// "kedge: hint: …", exit codes, and prompts on the terminal.
//
// It promises that standard output carries data and nothing else, that an error is one
// line, and that nothing waits for a person where there is no terminal. It has no knowledge
// of keys, sessions or certificates: each program brings its own table of advice.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
)

// The exit codes of every kedge program. They are part of the interface: scripts branch on
// them, so a number never changes its meaning.
const (
	ExitDone    = 0 // it worked
	ExitFailed  = 1 // anything that has no code of its own: network, files, a bad answer
	ExitUsage   = 2 // the command line is wrong; nothing was tried
	ExitRefused = 3 // the service answered and said no
	ExitKey     = 4 // the private key or the certificate cannot be used

	ExitInterrupted = 130 // Ctrl-C at a prompt, as a shell returns for a program that SIGINT ended
)

// Streams are the three standard streams, handed down so that tests can hold them.
type Streams struct {
	In  io.Reader
	Out io.Writer // data only
	Err io.Writer // words only
}

// Advice is what a program adds to an error: how to exit, and what to do next.
type Advice struct {
	Code int
	Hint string // one sentence, with a command to paste where there is one; empty for none
}

// Program is one executable.
type Program struct {
	Name   string                 // as it is printed before every message
	Root   *cobra.Command         // built fresh for every run
	Advise func(err error) Advice // nil for a program without advice of its own
	// Prepare, such as what UseVariables returns, gets the root before it runs; may be nil.
	Prepare func(root *cobra.Command)
}

// Main runs the program once and returns its exit code. It never exits itself.
func Main(ctx context.Context, p Program, args []string, s Streams) int {
	prepare(p.Root)
	if p.Prepare != nil {
		p.Prepare(p.Root)
	}
	help := prepareHelp(p.Root) // the last: where it finds an error, nothing is printed
	out := &output{Writer: s.Out}
	p.Root.SetArgs(args)
	p.Root.SetIn(s.In)
	p.Root.SetOut(out)
	p.Root.SetErr(s.Err)
	err := p.Root.ExecuteContext(ctx)
	if err == nil {
		err = help.err
	}
	if err == nil && out.err != nil {
		err = fmt.Errorf("standard output: %w", out.err)
	}
	if err == nil {
		return ExitDone
	}
	if status, ok := errors.AsType[*StatusError](err); ok {
		return status.Code
	}
	advice := adviceFor(p, err)
	SayError(s.Err, p.Name, err, advice.Hint)
	return advice.Code
}

func adviceFor(p Program, err error) Advice {
	if usage, ok := errors.AsType[*UsageError](err); ok {
		hint := usage.Hint
		if hint == "" && p.Advise != nil {
			hint = p.Advise(err).Hint
		}
		if hint == "" {
			hint = fmt.Sprintf("run %q for the flags", strings.TrimSpace(usage.Command+" --help"))
		}
		return Advice{Code: ExitUsage, Hint: hint}
	}
	if errors.Is(err, ErrInterrupted) {
		return Advice{Code: ExitInterrupted, Hint: "nothing was written"}
	}
	if errors.Is(err, context.Canceled) {
		return Advice{Code: ExitFailed, Hint: "what was finished before that stays; run the same again"}
	}
	advice := Advice{Code: ExitFailed}
	if p.Advise != nil {
		advice = p.Advise(err)
	}
	if advice.Code == ExitDone {
		advice.Code = ExitFailed
	}
	return advice
}

// textOf returns the text of an error. A context that was canceled is a signal that interrupted the program.
func textOf(err error) string {
	if !errors.Is(err, context.Canceled) {
		return err.Error()
	}
	return strings.ReplaceAll(err.Error(), context.Canceled.Error(), "interrupted")
}

// SayError writes the line of an error, and that of its hint unless that is empty.
func SayError(w io.Writer, name string, err error, hint string) {
	Say(w, name, "error", textOf(err))
	if hint != "" {
		Say(w, name, "hint", hint)
	}
}

// Say writes one line "name: kind: text". Line breaks and control characters in text, which
// may come from a server, become spaces: a message cannot forge a second one or drive the
// terminal.
func Say(w io.Writer, name, kind, text string) {
	fmt.Fprintf(w, "%s: %s: %s\n", name, kind, Printable(strings.TrimSpace(text)))
}

// Printable puts a space for every line break and control character, so that text from elsewhere
// cannot drive the terminal it is shown on.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
}

// UsageError is a command line that cannot be carried out as it stands. Main exits with
// ExitUsage and, unless Hint or the program's advice is better, points at the
// command's help.
type UsageError struct {
	Command string // as typed, such as "kedge credential-process"
	Hint    string
	Err     error
}

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// Usagef makes a UsageError for cmd.
func Usagef(cmd *cobra.Command, format string, args ...any) error {
	return &UsageError{Command: cmd.CommandPath(), Err: fmt.Errorf(format, args...)}
}

// prepare makes cobra silent and turns all its complaints, about flags, arguments and
// unknown commands, into UsageErrors.
func prepare(cmd *cobra.Command) {
	cmd.SilenceErrors = true
	cmd.SilenceUsage = true
	cmd.SetFlagErrorFunc(flagError)
	isGroup := cmd.Run == nil && cmd.RunE == nil
	check, commandsAlone := cmd.Args, cmd.Args == nil || isGroup
	if check == nil || isGroup {
		check = noExtraArgs
	}
	cmd.Args = func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			hint := unquoted(c.Flags(), args)
			if hint == "" && commandsAlone {
				hint = commandHint(c, args)
			}
			return &UsageError{Command: c.CommandPath(), Hint: hint, Err: err}
		}
		return mistyped(c, args)
	}
	if commandsAlone && cmd.HasSubCommands() {
		if cmd.Annotations == nil {
			cmd.Annotations = map[string]string{}
		}
		cmd.Annotations[onlyCommands] = "yes"
	}
	if isGroup {
		cmd.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	groups := cmd.PreRunE
	cmd.PreRunE = func(c *cobra.Command, args []string) error {
		if err := checkFlags(c); err != nil {
			return Usagef(c, "%w", err)
		}
		if groups == nil {
			return nil
		}
		return groups(c, args)
	}
	for _, sub := range cmd.Commands() {
		prepare(sub)
	}
}

func noExtraArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.HasSubCommands() {
		return fmt.Errorf("unknown command %q", args[0])
	}
	return fmt.Errorf("unexpected argument %q", args[0])
}
