package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"kedge/internal/awsaccount"
	"kedge/internal/cli"
	"kedge/internal/config"
)

const name = "kedge-ca"

// run is the whole program, given its arguments and streams.
func run(ctx context.Context, args []string, s cli.Streams) int {
	return cli.Main(ctx, cli.Program{Name: name, Root: newRoot(newHost(s), args), Advise: advise, Prepare: cli.UseVariables(variable)}, args, s)
}

func newRoot(h host, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   name,
		Short: "A mini-CA made for IAM Roles Anywhere",
		Long: `kedge-ca makes a trust anchor for IAM Roles Anywhere and certificates that it accepts.

For each flag there is a variable, which counts where the flag is not given: KEDGE_CA_DIR for
--dir, with commas between the values of a list. --yes, and other consent to one step, can
only be typed; a password is never in a variable that is named as a flag.

Exit codes:
  0  done
  1  failed: files, names or lifetimes that the service would refuse
  2  the command line is wrong; nothing was tried
  3  AWS answered, and refused
  4  the CA's key or certificate cannot be used
  130  interrupted at a prompt (Ctrl-C)`,
		Example: `  kedge-ca init
  kedge-ca issue web-01`,
		Version: cli.Version(),
	}
	if all := commands(h, args); len(all) > 1 {
		root.AddCommand(all...)
		root.InitDefaultCompletionCmd() // now, so that cli.Main finds it and checks its arguments
	} else {
		root.CompletionOptions.DisableDefaultCmd = true
		root.AddCommand(all...)
	}
	return root
}

// commands returns all commands, but for issue and sign only that one: scripts run them repeatedly,
// and adding the flags of the others would take as long as the signature.
func commands(h host, args []string) []*cobra.Command {
	if len(args) > 0 {
		switch args[0] {
		case "issue":
			return []*cobra.Command{newIssue(h, runIssue)}
		case "sign":
			return []*cobra.Command{newSign(h, runSign)}
		}
	}
	reader := h.reader()
	return []*cobra.Command{
		newInit(h, runInit),
		newIssue(h, runIssue),
		newSign(h, runSign),
		newRenew(h, changing(runRenew)),
		newRekey(h, changing(runRenew)),
		newLint(reader, runLint),
		newList(reader, reading(runList)), newExpiring(reader, reading(runExpiring)), newShow(reader, reading(runShow)), newWho(reader, reading(runWho)),
		newRevoke(h, changing(runRevoke)), newUnrevoke(h, changing(runUnrevoke)), newCRL(h, changing(runCRL)),
		newToken(h, runToken), newPending(reader, reading(runPending)), newApprove(h, changing(runApprove)), newDeny(h, changing(runDeny)), newHosts(reader, reading(runHosts)), newDenyRenew(h, changing(runDenyRenew)), newDecommission(h, changing(runDecommission)), newResolve(h, changing(runResolve)),
		newServerCert(h, changing(runServerCert)),
		newKeyCommands(h),
		newIntermediate(h, runIntermediate),
		newServe(h, runServe),
		newBundle(reader, reading(runBundle)),
		newRotate(h),
		newAWS(h),
		newLedger(h), newBackup(h, reading(runBackup)), newStatus(reader, reading(runStatus)), newConfig(reader),
		cli.NewVersion(name),
	}
}

// host has what the commands use of the process and the machine.
type host struct {
	cli.Streams
	inputs  config.Host
	confirm func(question string) (bool, error) // on the terminal; called by confirmFlag.ask

	// account changes how an account at AWS is used, in tests; nil: not.
	account func(*awsaccount.Config)

	anyClock bool // inputs.Now is not the time of day: in a rehearsal
}

// newHost returns the host of the program; tests use others.
func newHost(s cli.Streams) host {
	return host{Streams: s, confirm: cli.Confirm, inputs: config.Host{
		Stdin: s.In,
		Ask:   cli.Password,
		Now:   time.Now,
	}}
}

// reader returns the host for commands that only read: for them a closed output pipe is no error. A
// command that issues or signs must report that its output was lost.
func (h host) reader() host {
	h.Out = cli.UntilClosed(h.Out)
	return h
}

// warn writes a warning.
func (h host) warn(text string) { cli.Say(h.Err, name, "warning", text) }

func (h host) warnAll(texts []string) {
	for _, text := range texts {
		h.warn(text)
	}
}

// say reports a step that was done.
func (h host) say(text string) { cli.Say(h.Err, name, "done", text) }
