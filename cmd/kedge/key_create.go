package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/keys"
	"kedge/internal/role"
	"kedge/signer/keyfile"
)

type keyCreateOptions struct {
	host
	tpm        tpmFlag
	token      string // URI
	keyType    string
	out        string
	parent     string
	from       string // the new key's password or auth value, or the token's PIN
	noPassword bool
	library    string
	json       bool

	// Checked:
	keys   *config.Keys
	secret config.Password // that the new key is to have
	create keys.CreateOptions
}

func newKeyCreate(h host, run func(context.Context, *keyCreateOptions) error) *cobra.Command {
	o := &keyCreateOptions{host: h}
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make a private key, in a file, a TPM or on a token",
		Long: `Makes a private key and prints what names it: the value for --private-key from then on.

In a TPM 2.0 (--tpm) or on a PKCS#11 token (--pkcs11) the key cannot leave the hardware. A TPM's
key is a small file that only this TPM can use, or lies in the TPM under a handle, or both; one
on a token has the label and, if it is given, the id of the URI. Nothing else is changed there.

Nothing is ever overwritten.`,
		Example: `  kedge key create --out web-01.key --key-password-from web-01.password
  kedge key create --tpm --out web-01.tss2.pem
  kedge key create --tpm 'tpm:handle=0x81000010'
  kedge key create --pkcs11 'pkcs11:token=kedge;object=web-01' --key-password-from kedge.pin`,
		Args: o.takeURI,
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			return o.check(cmd)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.Var(&o.tpm, "tpm", "make the key in a TPM: `[URI]`, as in tpm:device=/dev/tpmrm0;handle=0x81000010?owner-auth-source=PATH; the system's TPM when no URI is given")
	flags.Lookup("tpm").NoOptDefVal = "true"
	flags.StringVar(&o.token, "pkcs11", "", "make the key on the token of this `URI`, as in pkcs11:token=LABEL;object=NAME")
	cli.AddKeyType(flags, &o.keyType, "P-256", "; TPMs and tokens have fewer")
	flags.StringVar(&o.out, "out", "", "`FILE` to write; it must not exist")
	flags.StringVar(&o.parent, "parent", "", "persistent `HANDLE` of the key in the TPM to make it below, instead of the owner hierarchy")
	cli.AddPasswordFrom(flags, &o.from, "password to encrypt the file with, auth value for the key in a TPM (none if not given), or PIN of the token")
	flags.BoolVar(&o.noPassword, "no-password", false, "leave the file in the clear: whoever reads it has the key")
	cli.AddPKCS11Library(flags, &o.library)
	cli.AddJSON(flags, &o.json)
	cmd.MarkFlagsMutuallyExclusive("tpm", "pkcs11")
	cmd.MarkFlagsMutuallyExclusive("no-password", "key-password-from")
	return cmd
}

// tpmFlag is the value of --tpm: a URI, which can be left out.
type tpmFlag string

const anyTPM tpmFlag = "tpm:"

// Set takes what pflag gives for a flag without value, too.
func (f *tpmFlag) Set(uri string) error {
	if *f = tpmFlag(uri); uri == "true" {
		*f = anyTPM
	}
	return nil
}

func (f *tpmFlag) String() string { return string(*f) }

// Type is that of flags of which the help does not say what they are without a value.
func (f *tpmFlag) Type() string { return "bool" }

// takeURI lets the URI of --tpm stand after a space as well, where it is an argument of its own.
func (o *keyCreateOptions) takeURI(_ *cobra.Command, args []string) error {
	if len(args) == 1 && o.tpm == anyTPM && keys.IsHardwareURI(args[0]) {
		o.tpm, args = tpmFlag(args[0]), nil
	}
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	return nil
}

// uri is where the key is to be made; empty: in a file alone.
func (o *keyCreateOptions) uri() string { return string(o.tpm) + o.token }

func (o *keyCreateOptions) check(cmd *cobra.Command) (err error) {
	if err := o.checkPlace(cmd); err != nil {
		return err
	}
	o.create = keys.CreateOptions{Type: strings.ToUpper(o.keyType), Out: o.out}
	if err := o.create.Check(o.uri()); err != nil {
		return cli.Usagef(cmd, "%w", err)
	}
	if o.parent != "" {
		if o.create.Parent, err = parseHandle(o.parent); err != nil {
			return cli.Usagef(cmd, "--parent: %w", err)
		}
	}
	if o.secret, err = config.NewPassword("key-password-from", o.from); err != nil {
		return usage(cmd, err)
	}
	o.keys, err = config.NewKeys(config.KeyFlags{PrivateKey: o.existing(), PasswordFrom: o.from, Library: o.library})
	return usage(cmd, err)
}

// existing is the URI, if that could be one of a key that is there.
func (o *keyCreateOptions) existing() string {
	if keys.CheckURI(o.uri()) != nil {
		return ""
	}
	return o.uri()
}

// checkPlace refuses flags that have nothing to do with where the key is to be made.
func (o *keyCreateOptions) checkPlace(cmd *cobra.Command) error {
	switch {
	case o.tpm != "" && keys.IsTokenURI(string(o.tpm)):
		return cli.Usagef(cmd, "--tpm: %s names a token; give it with --pkcs11", keys.WithoutSecrets(string(o.tpm)))
	case o.token != "" && !keys.IsTokenURI(o.token):
		return cli.Usagef(cmd, "--pkcs11: %q does not begin with \"pkcs11:\"", o.token)
	case o.parent != "" && o.tpm == "":
		return cli.Usagef(cmd, "--parent: only a key in a TPM has one; add --tpm")
	case o.library != "" && o.token == "":
		return cli.Usagef(cmd, "--pkcs11-lib: only a key on a token needs one; add --pkcs11 URI")
	case o.uri() != "" && o.noPassword:
		return cli.Usagef(cmd, "--no-password: that is for a key in a file alone")
	case o.uri() == "" && o.out == "":
		return cli.Usagef(cmd, "missing --out, the file to write, or --tpm or --pkcs11")
	}
	return nil
}

// parseHandle reads a persistent handle, in hexadecimal as in URIs.
func parseHandle(text string) (uint32, error) {
	digits, ok := strings.CutPrefix(text, "0x")
	n, err := strconv.ParseUint(digits, 16, 32)
	if !ok || err != nil || n>>24 != 0x81 {
		return 0, fmt.Errorf("handle %q is not persistent: those are 0x81000000 to 0x81ffffff", text)
	}
	return uint32(n), nil
}

func runKeyCreate(ctx context.Context, o *keyCreateOptions) error {
	ctx, stop := interruptibleIf(ctx, o.uri() != "")
	defer stop()
	o.create.Options = o.keys.Options(o.inputs)
	if o.tpm != "" && o.from != "" || o.uri() == "" && !o.noPassword {
		o.create.Secret = o.newSecret
	}
	name, err := keys.Create(ctx, o.uri(), o.create)
	if err != nil {
		return &role.KeyError{Err: err, New: true, Clear: o.uri() == ""}
	}
	if o.noPassword {
		o.warn(o.out + " is not encrypted: whoever reads it has the key")
	}
	o.warn(o.keys.Warnings()...)
	return o.report(name)
}

// newSecret gets what the new key is to be protected with.
func (o *keyCreateOptions) newSecret() ([]byte, error) {
	what := o.out
	if what == "" {
		what = "the new key"
	}
	secret, err := o.secret.Read(o.inputs, what)
	switch {
	case errors.Is(err, keyfile.ErrPasswordRequired):
		return nil, fmt.Errorf("a password is needed to encrypt %s, and %w", what, cli.ErrNoTerminal)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return secret, nil
}

// report prints what names the key.
func (o *keyCreateOptions) report(name string) error {
	if name == o.out { // a file that looks like another reference
		if in, err := config.ParseInput("file:" + name); err == nil {
			name = in.String()
		}
	}
	say := func() error { return o.print([]byte(name + "\n")) }
	if o.json {
		say = func() error {
			return o.printJSON(struct {
				Schema     int    `json:"schema"`
				PrivateKey string `json:"private_key"` // for --private-key
				Type       string `json:"key_type"`
			}{1, name, o.create.Type})
		}
	}
	if err := say(); err != nil {
		return fmt.Errorf("the key is made, %s, but not told: %w", name, err)
	}
	return nil
}
