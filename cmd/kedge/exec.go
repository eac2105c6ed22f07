package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/creds"
	"kedge/internal/process"
	"kedge/internal/role"
)

type execOptions struct {
	host
	roleFlags
	role      *role.Config
	awsRegion string
	server    bool
	command   []string
	hide      []string // variables that hold secrets of kedge's own
}

func newExec(h host, run func(context.Context, *execOptions) error) *cobra.Command {
	o := &execOptions{host: h}
	cmd := &cobra.Command{
		Use:   "exec [flags] -- <command> [argument...]",
		Short: "Run a command with temporary credentials",
		Long: `Runs a command with temporary credentials in its environment, and in place of kedge: its exit
code, its signals and its terminal are its own. Variables that could give it other credentials, such
as AWS_PROFILE, are taken away.

The credentials end with the session. A command that runs longer wants --server: its environment
then has, instead of keys, the address and token of an endpoint on loopback which no other program gets,
and kedge stays to renew them. SDKs and the AWS CLI ask there by themselves, but only after their
files: with keys under [default] in ~/.aws/credentials, use a file without.

Exit codes: those of the command; 127 if there is no such command, 126 if it cannot be run. What
fails before the command starts has the codes of "kedge --help".`,
		Example: `  kedge exec --certificate cert.pem --private-key key.pem \
    --trust-anchor-arn arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/<id> \
    --profile-arn arn:aws:rolesanywhere:eu-west-1:111122223333:profile/<id> \
    --role-arn arn:aws:iam::111122223333:role/<name> -- aws sts get-caller-identity`,
		Args:    func(_ *cobra.Command, args []string) error { return needCommand(args) },
		PreRunE: func(cmd *cobra.Command, args []string) error { return o.validate(cmd, args) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false) // what follows the command is the command's
	flags.BoolVar(&o.server, "server", false, "give the command a private endpoint, whose credentials are renewed, instead of keys")
	flags.StringVar(&o.awsRegion, "aws-region", "", "set AWS_REGION and AWS_DEFAULT_REGION to this (default: leave them alone)")
	o.add(flags)
	return cmd
}

func needCommand(args []string) error {
	if len(args) == 0 || args[0] == "" {
		return errors.New("a command is needed, as in: kedge exec ... -- aws sts get-caller-identity")
	}
	return nil
}

func (o *execOptions) validate(cmd *cobra.Command, args []string) error {
	if owner := config.Nested(); owner != "" {
		return &cli.UsageError{
			Command: cmd.CommandPath(),
			Hint:    `leave that one first, with "exit" in a shell; or, if one inside the other is meant, run: env -u KEDGE_EXEC kedge exec ...`,
			Err:     fmt.Errorf("this runs in another kedge exec, for %s", owner),
		}
	}
	if err := o.settle(cmd, o.host.environment); err != nil {
		return err
	}
	if err := checkRegion(cmd, o.awsRegion); err != nil {
		return err
	}
	o.command = args
	var err error
	if o.role, err = o.resolve(cmd, o.host); err != nil {
		return err
	}
	o.hideInputs(cmd.Flags())
	return nil
}

// hideInputs keeps from the command what kedge was given for itself: the variables and descriptors
// that its flags, and the URIs of keys in them, refer to, and a variable with a PIN in it.
func (o *execOptions) hideInputs(flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		value := f.Value.String()
		if place := f.Annotations[origin]; len(place) > 0 && config.HideSecrets(f.Name, value) != value {
			o.hide = append(o.hide, place[0]) // in a file it is refused
		}
		for _, in := range config.References(value) {
			if name, ok := in.Variable(); ok {
				o.hide = append(o.hide, name)
			}
			if fd, ok := in.Descriptor(); ok {
				process.CloseOnStart(fd)
			}
		}
	})
}

func runExec(ctx context.Context, o *execOptions) error {
	path, err := process.Find(o.command[0], o.environment(nil))
	if err != nil {
		return err
	}
	if o.server {
		return ended(o.runBeside(ctx, path))
	}
	c, err := o.retrieve(ctx, o.role, o.debug)
	if err != nil {
		return err
	}
	vars, err := creds.Variables(c, o.awsRegion)
	if err != nil {
		return err
	}
	return ended(process.Replace(o.process(path, vars)))
}

// environment is that of the command, with the variables.
func (o *execOptions) environment(vars []creds.Variable) []string {
	without := o.hide
	for _, v := range vars {
		without = append(without[:len(without):len(without)], v.Name)
	}
	env := config.CommandEnvironment(o.said.FinalRole(), without)
	for _, v := range vars {
		env = append(env, v.Name+"="+v.Value)
	}
	return env
}

func (o *execOptions) process(path string, vars []creds.Variable) process.Command {
	return process.Command{
		Path: path, Args: o.command, Env: o.environment(vars),
		Files: []*os.File{asFile(o.In), asFile(o.Out), asFile(o.Err)},
	}
}

// asFile returns the file that a stream of a process is, or nil.
func asFile(stream any) *os.File {
	f, _ := stream.(*os.File)
	return f
}

// ended makes this program end as the command did.
func ended(status process.Status, err error) error {
	if err != nil {
		return err
	}
	status.Die()
	return &cli.StatusError{Code: status.Code}
}
