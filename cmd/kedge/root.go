package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/config"
)

const name = "kedge"

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, s cli.Streams) int {
	// The plain case needs no command line parser. If it fails, the command below reports why.
	if slices.Equal(args, []string{"version"}) && cli.PrintVersion(s.Out) == nil {
		return cli.ExitDone
	}
	return cli.Main(ctx, cli.Program{Name: name, Root: newRoot(s, args), Advise: advise}, args, s)
}

func newRoot(s cli.Streams, args []string) *cobra.Command { return rootOf(newHost(s), args) }

func rootOf(h host, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   name,
		Short: "Temporary AWS credentials from an X.509 certificate",
		Long: `kedge gets temporary AWS credentials with an X.509 certificate and its private key, through
IAM Roles Anywhere. It takes the commands and flags of aws_signing_helper.

Exit codes:
  0  done
  1  failed: network, files, an invalid answer
  2  the command line is wrong, or asks for what this build cannot do; nothing was tried
  3  the service answered and refused
  4  the private key or the certificate cannot be used
  130  interrupted at a prompt (Ctrl-C)`,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.PersistentFlags().BoolVar(h.quiet, "quiet", false, "say nothing but errors")
	root.PersistentPreRunE = h.readQuiet
	if often := oftenRun(h, args); often != nil {
		root.AddCommand(often)
		return root
	}
	root.Version = cli.Version()
	root.AddCommand(commands(h)...)
	return root
}

// oftenRun returns the command if it is one that SDKs or timers run again and again: the flags of the
// others would be half of its work.
func oftenRun(h host, args []string) *cobra.Command {
	switch {
	case len(args) == 0:
		return nil
	case args[0] == "credential-process":
		return newCredentialProcess(h, runCredentialProcess)
	case args[0] == "renew":
		return newRenew(h, runRenew)
	}
	return nil
}

func commands(h host) []*cobra.Command {
	return []*cobra.Command{
		newCredentialProcess(h, runCredentialProcess),
		newExec(h, runExec),
		newExport(h, runExport),
		newUpdate(h, runUpdate),
		newServe(h, runServe),
		newConfigure(h, runConfigure),
		newDoctor(h, runDoctor),
		newEnroll(h, runEnroll),
		newRenew(h, runRenew),
		newUnenroll(h, runUnenroll),
		newSignString(h, runSignString),
		newReadCertificateData(h, runReadCertificateData),
		newConfig(h),
		newCache(h),
		newKeyCommands(h),
		newCSR(h, runCSR),
		newCertificateCommands(h),
		cli.NewVersion(name),
		newCompletion(h),
	}
}

// interruptible returns a context that ends with SIGINT or SIGTERM. Only what waits for others asks
// for it: the rest is over at once, and to listen costs every run a thread.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
}

// interruptibleIf is interruptible where something is to be undone, and ctx elsewhere.
func interruptibleIf(ctx context.Context, undo bool) (context.Context, context.CancelFunc) {
	if !undo {
		return ctx, func() {}
	}
	return interruptible(ctx)
}

// host is what the commands use of the process and the machine.
type host struct {
	cli.Streams
	inputs      config.Host
	environment config.Environment
	quiet       *bool // whether errors alone are said; some SDKs read both streams of credential_process
	clock       *clockWarning
}

func newHost(s cli.Streams) host {
	return host{Streams: s, quiet: new(bool), environment: config.ProcessEnvironment(), inputs: config.Host{
		Stdin: s.In,
		Ask:   cli.Password,
		Now:   time.Now,
	}, clock: &clockWarning{}}
}

// readQuiet sets --quiet by its variable, for the commands that read no settings, too.
func (h host) readQuiet(cmd *cobra.Command, _ []string) error {
	value := h.environment.Variable("quiet")
	if value == "" || cmd.Flags().Changed("quiet") {
		return nil
	}
	quiet, err := strconv.ParseBool(value)
	if err != nil {
		return cli.Usagef(cmd, "KEDGE_QUIET must be true or false, not %q", value)
	}
	*h.quiet = quiet
	return nil
}

// say writes a line that is no error.
func (h host) say(kind, text string) {
	if !*h.quiet {
		cli.Say(h.Err, name, kind, text)
	}
}

// sayError writes an error that does not end the command, with its hint, also with --quiet.
func (h host) sayError(err error) { cli.SayError(h.Err, name, err, advise(err).Hint) }

func (h host) warn(texts ...string) {
	for _, text := range texts {
		h.say("warning", text)
	}
}

// done reports what a command brought about that prints nothing else.
func (h host) done(text string) { h.say("done", text) }

// logLevel is the least level of what a log is for.
func (h host) logLevel(debug bool) slog.Level {
	switch {
	case *h.quiet:
		return slog.LevelError
	case debug:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// trace returns how a command reports its steps: not at all, or with --debug on standard error.
func (h host) trace(debug bool) func(format string, args ...any) {
	if !debug {
		return nil
	}
	return func(format string, args ...any) {
		h.say("debug", fmt.Sprintf(format, args...))
	}
}

// print writes the one thing a command is asked for, whole and last, so that standard output is
// empty when anything fails before.
func (h host) print(data []byte) error {
	if _, err := h.Out.Write(data); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}
