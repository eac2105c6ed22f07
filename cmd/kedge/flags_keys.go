package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/cli"
	"kedge/internal/config"
)

// keyFlags say which key and certificate to use. The names are those of the official helper.
type keyFlags struct {
	config.KeyFlags
	selector string
	debug    bool
}

const inputHelp = "PATH, fd:N, env:NAME or -"

func (f *keyFlags) addCertificate(flags *pflag.FlagSet) {
	flags.StringVar(&f.Certificate, "certificate", "", "certificate, with or without its chain, or PKCS#12: "+inputHelp+" (standard input); file:PATH for a file of an odd name; pkcs11:… on a token")
	cli.RefuseEmpty(flags, "certificate")
	f.addAccess(flags)
	f.addForeign(flags)
}

// addAccess adds the flags about the way to a key, and --debug.
func (f *keyFlags) addAccess(flags *pflag.FlagSet) {
	cli.AddPasswordFrom(flags, &f.PasswordFrom, "password of an encrypted key, PIN of a token, auth value of a TPM key")
	cli.AddPKCS11Library(flags, &f.Library)
	flags.BoolVar(&f.debug, "debug", false, "say on standard error what is done")
}

func (f *keyFlags) addPrivateKey(flags *pflag.FlagSet) {
	flags.StringVar(&f.PrivateKey, "private-key", "", "private key; default is the one beside the certificate: "+inputHelp+"; in a TPM: its TSS2 file, tpm:… or handle:0x81…; on a token: pkcs11:…")
	cli.RefuseEmpty(flags, "private-key")
	flags.StringVar(&f.Password, "pkcs8-password", "", "password of an encrypted key, visible to every user of this machine")
	cli.AddReusePIN(flags, &f.ReusePIN)
	cli.AddTPMPassword(flags, &f.TPMPassword, &f.NoTPMPassword)
}

// addForeign adds flags of the official helper for keys that this build cannot reach. They
// are understood, so that the answer to them is a reason and not "unknown flag".
func (f *keyFlags) addForeign(flags *pflag.FlagSet) {
	flags.StringVar(&f.selector, "cert-selector", "", "")
	flags.String("system-store-name", "MY", "")
	flags.String("system-store-location", "CurrentUser", "")
	hide(flags, "cert-selector", "system-store-name", "system-store-location")
}

func (f *keyFlags) addForeignKeys(flags *pflag.FlagSet) {
	flags.Bool("use-latest-expiring-certificate", false, "")
	hide(flags, "use-latest-expiring-certificate")
}

func hide(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		flags.Lookup(name).Hidden = true
	}
}

// check refuses what excludes each other, then what this build cannot do, and returns the
// checked inputs. Nothing has been read when it fails.
func (f *keyFlags) check(cmd *cobra.Command) (*config.Keys, error) {
	if err := f.checkGiven(cmd); err != nil {
		return nil, err
	}
	keys, err := config.NewKeys(f.KeyFlags)
	return keys, usage(cmd, err)
}

// checkGiven refuses flags that exclude each other, then those that this build can do nothing with.
func (f *keyFlags) checkGiven(cmd *cobra.Command) error {
	if err := checkExclusive(cmd); err != nil {
		return err
	}
	return f.checkForeign(cmd)
}

// checkExclusive refuses the pairs of flags that the official helper refuses.
func checkExclusive(cmd *cobra.Command) error {
	for _, pair := range exclusives() {
		if cmd.Flags().Changed(pair[0]) && cmd.Flags().Changed(pair[1]) {
			return cli.Usagef(cmd, "%s and %s cannot be used together", named(cmd, pair[0]), named(cmd, pair[1]))
		}
	}
	return nil
}

// named is a flag with where its value comes from, if that is not the command line.
func named(cmd *cobra.Command, flag string) string {
	if from := originOf(cmd, flag); from != "" {
		return "--" + flag + " (" + from + ")"
	}
	return "--" + flag
}

// exclusives are the pairs of flags of which one alone can be used.
func exclusives() [][2]string {
	return [][2]string{
		{"certificate", "cert-selector"},
		{"certificate", "system-store-name"},
		{"certificate", "system-store-location"},
		{"private-key", "cert-selector"},
		{"private-key", "system-store-name"},
		{"private-key", "system-store-location"},
		{"private-key", "use-latest-expiring-certificate"},
		{"use-latest-expiring-certificate", "intermediates"},
		{"use-latest-expiring-certificate", "reuse-pin"},
		{"cert-selector", "intermediates"},
		{"cert-selector", "reuse-pin"},
		{"system-store-name", "reuse-pin"},
		{"system-store-location", "reuse-pin"},
		{"tpm-key-password", "cert-selector"},
		{"tpm-key-password", "reuse-pin"},
		{"no-tpm-key-password", "cert-selector"},
		{"no-tpm-key-password", "reuse-pin"},
		{"no-tpm-key-password", "tpm-key-password"},
		{"pkcs8-password", "tpm-key-password"},
		{"key-password-from", "tpm-key-password"},
		{"key-password-from", "no-tpm-key-password"},
		{"pkcs8-password", "key-password-from"},
	}
}

func (f *keyFlags) checkForeign(cmd *cobra.Command) error {
	if f.selector != "" {
		if _, err := config.ReadSelector(f.selector); err != nil {
			return cli.Usagef(cmd, "--cert-selector: %w", err)
		}
	}
	for _, flag := range [...]string{"cert-selector", "system-store-name", "system-store-location", "use-latest-expiring-certificate"} {
		if cmd.Flags().Changed(flag) {
			return unsupported(cmd, flag, "certificate stores are not supported on this system")
		}
	}
	return nil
}

// unsupported is a usage error: nothing was tried, and another command line is needed.
func unsupported(cmd *cobra.Command, flag, why string) error {
	return &cli.UsageError{
		Command: cmd.CommandPath(),
		Hint:    "give files instead: --certificate CERT.pem --private-key KEY.pem",
		Err:     fmt.Errorf("--%s: %s", flag, why),
	}
}

// needOneOf refuses a command line without any of the named flags.
func needOneOf(cmd *cobra.Command, names ...string) error {
	text := ""
	for i, name := range names {
		if cmd.Flags().Lookup(name).Value.String() != "" {
			return nil
		}
		if i > 0 {
			text += " or "
		}
		text += "--" + name
	}
	return cli.Usagef(cmd, "%s is needed", text)
}

// needAll refuses a command line that lacks any of the named flags, and names all of them.
func needAll(cmd *cobra.Command, names ...string) error {
	var missing []string
	for _, name := range names {
		if cmd.Flags().Lookup(name).Value.String() == "" {
			missing = append(missing, "--"+name)
		}
	}
	if missing == nil {
		return nil
	}
	return cli.Usagef(cmd, "missing %s", strings.Join(missing, ", "))
}
