package cli

import (
	"time"

	"github.com/spf13/pflag"
)

// The flags that several commands have, with one meaning, are defined here, with one text.

// Names are the flags for the subject alternative names of a certificate.
type Names struct{ DNS, URIs, IPs, Emails []string }

// Add adds the flags.
func (n *Names) Add(flags *pflag.FlagSet) {
	n.AddHost(flags)
	flags.StringSliceVar(&n.URIs, "uri", nil, "`URI` for it, such as a SPIFFE ID")
	flags.StringSliceVar(&n.Emails, "email", nil, "email `ADDRESS` for it")
}

// AddHost adds the flags for the names of a server.
func (n *Names) AddHost(flags *pflag.FlagSet) {
	flags.StringSliceVar(&n.DNS, "dns", nil, "DNS `NAME` for the subject alternative name")
	flags.StringSliceVar(&n.IPs, "ip", nil, "IP `ADDRESS` for it")
}

// AddJSON adds --json.
func AddJSON(flags *pflag.FlagSet, to *bool) {
	flags.BoolVar(to, "json", false, "write a JSON document to standard output")
}

// AddKeyType adds --key-type; more is what the command adds to the text.
func AddKeyType(flags *pflag.FlagSet, to *string, standard, more string) {
	flags.StringVar(to, "key-type", standard, "`TYPE` of the key: P-256, P-384, P-521, RSA-2048, RSA-3072, RSA-4096, ML-DSA-44, ML-DSA-65 or ML-DSA-87"+more)
}

// AddPasswordFrom adds --key-password-from; what are the secrets that are there.
func AddPasswordFrom(flags *pflag.FlagSet, to *string, what string) {
	flags.StringVar(to, "key-password-from", "", what+": `REF` is PATH, fd:N, env:NAME, - (standard input) or prompt (default: ask on a terminal)")
}

// AddPKCS11Library adds --pkcs11-lib.
func AddPKCS11Library(flags *pflag.FlagSet, to *string) {
	flags.StringVar(to, "pkcs11-lib", "", "PKCS#11 module, `PATH` or name (default: what the URI says, else p11-kit-proxy)")
}

// AddReusePIN adds --reuse-pin.
func AddReusePIN(flags *pflag.FlagSet, to *bool) {
	flags.BoolVar(to, "reuse-pin", false, "keep the PIN in memory: for keys that want it at each use, and when the token comes back")
}

// AddTPMPassword adds --tpm-key-password and --no-tpm-key-password.
func AddTPMPassword(flags *pflag.FlagSet, to *string, none *bool) {
	flags.StringVar(to, "tpm-key-password", "", "auth `VALUE` of a TPM key, visible to every user of this machine")
	flags.BoolVar(none, "no-tpm-key-password", false, "the TPM key has no auth value, whatever its file says")
}

// AddDrain adds --drain.
func AddDrain(flags *pflag.FlagSet, to *time.Duration) {
	flags.DurationVar(to, "drain", 10*time.Second, "how long requests may take to end after SIGTERM")
}

// AddLogFormat adds --log-format.
func AddLogFormat(flags *pflag.FlagSet, to *string) {
	flags.StringVar(to, "log-format", "text", "text or json")
}
