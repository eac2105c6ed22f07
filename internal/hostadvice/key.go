package hostadvice

import (
	"context"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"

	"kedge/internal/advice"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/keys"
	"kedge/internal/role"
	"kedge/signer"
	"kedge/tpm"
)

const giveSecret = "set --key-password-from to PATH, fd:N, env:NAME or -"

// key is about a key or certificate that cannot be used.
func key() advice.Table {
	rows := advice.Table{
		advice.About(mistaken),
		{Fits: is[*signer.ValidityError], Hint: outOfValidity},
	}
	rows = slices.Concat(rows, hardware(runtime.GOOS), advice.Table{
		advice.Any("if the hardware is slow or busy, or somebody types, raise --timeout", context.DeadlineExceeded),
		advice.Kind[*signer.KeyMismatchError](`give the two files that were made together; "openssl pkey -in KEY -pubout" and "openssl x509 -in CERT -noout -pubkey" print the same for them`),
		advice.Kind[*signer.PossessionError]("the key makes signatures that its certificate does not verify: its hardware, or the module that reaches it, is broken"),
		advice.About(func(e *signer.RuleError) string {
			return "have the certificate issued with what the service asks for: " + e.Source
		}),
	}, advice.Passwords(giveSecret, cli.ErrNoTerminal), advice.Table{
		advice.Any("give the file of the private key with --private-key", signer.ErrNoPrivateKey),
	}, advice.Unreadable())
	return advice.In[*role.KeyError](rows...)
}

func mistaken(e *role.KeyError) string {
	switch e.Mistake {
	case role.Swapped:
		return "are --certificate and --private-key swapped?"
	case role.CertificateOfCA:
		return "the certificate is that of a CA: give the one that was issued for this key"
	}
	return ""
}

// outOfValidity is about a certificate that is out of its validity by this host's clock, by the
// service's, or by one by which the service's own certificate is, too.
func outOfValidity(err error) string {
	e := as[*signer.ValidityError](err)
	switch {
	case e.ByService && e.Expired():
		return "renew the certificate; if it was renewed, check that --certificate names the new file"
	case e.ByService:
		return "wait, or have the certificate issued again: the clock of its CA may be ahead of the service's"
	case badServerTime(err):
		return "set this host's clock: by it the server's certificate is out of its validity, too"
	case e.Expired():
		return "renew the certificate; if it was renewed, check that --certificate names the new file and that this host's clock is right"
	}
	return "check this host's clock; if it is right, wait, or have the certificate issued again"
}

// hardware is about keys in hardware on a system, in the words of this program.
func hardware(system string) advice.Table {
	return advice.Hardware(advice.Program{
		Name:      "kedge",
		Public:    "give the certificate's file with --certificate, or put the certificate or the public key onto the token",
		Elsewhere: `use the TPM that made the key, or make a new key in this one ("kedge key create --tpm") and have a certificate issued for it`,
		System:    system,
	})
}

// newKey is about a key that is to be made, and the new file of it or of its request.
func newKey() advice.Table {
	isNew := func(err error) bool { return is[*role.KeyError](err) && as[*role.KeyError](err).New }
	noSecret := []error{cli.ErrNoTerminal, config.ErrPasswordEmpty, config.ErrPasswordsDiffer, keys.ErrSecretEmpty}
	return append(unwritten(), advice.If(isNew,
		advice.When(func(err error) bool { return as[*role.KeyError](err).Clear && advice.Any("", noSecret...).Fits(err) },
			giveSecret+"; for a key file in the clear there is --no-password"),
		advice.Any(giveSecret, noSecret...),
		advice.About(func(e *tpm.AuthError) string {
			if e.Locked {
				return ""
			}
			return "say where the right one is, in the URI of --tpm: ?" + e.Of + "-auth-source=PATH, fd:N, env:NAME or prompt"
		}),
		advice.Any("take a free handle; tpm2_getcap handles-persistent lists the others", tpm.ErrHandleTaken),
	)...)
}

// unwritten is about a new file that cannot be made.
func unwritten() advice.Table {
	return advice.In[*keys.UnwrittenError](
		advice.About(func(e *keys.UnwrittenError) string {
			if e.PrivateKey == "" {
				return ""
			}
			return "use the key as --private-key " + e.PrivateKey + ", or remove it with tpm2_evictcontrol"
		}),
		advice.Any("nothing is overwritten: give another --out, or move the old file away", fs.ErrExist),
		advice.Row{Fits: at(fs.ErrNotExist), Hint: func(err error) string { return "make the folder first: mkdir -p " + folderOf(err) }},
		advice.Row{Fits: at(fs.ErrPermission), Hint: func(err error) string { return config.DescribeAccess(folderOf(err)) }},
	)
}

func folderOf(err error) string { return filepath.Dir(as[*fs.PathError](err).Path) }
