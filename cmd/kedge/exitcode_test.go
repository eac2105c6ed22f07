package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"kedge/internal/cache"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/credfile"
	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient"
	"kedge/internal/filelock"
	"kedge/internal/hostdir"
	"kedge/internal/keys"
	"kedge/internal/process"
	"kedge/internal/role"
	"kedge/internal/safefile"
	"kedge/internal/serve"
	"kedge/internal/settings"
	"kedge/internal/testenv"
	"kedge/internal/trial"
	"kedge/internal/units"
	"kedge/pkcs11"
	"kedge/signer"
	"kedge/signer/keyfile"
	"kedge/signer/session"
	"kedge/tpm"
)

// exitCode is how the program ends when a command returns err.
func exitCode(err error) int {
	root := &cobra.Command{Use: name, RunE: func(*cobra.Command, []string) error { return err }}
	return cli.Main(context.Background(), cli.Program{Name: name, Root: root, Advise: advise}, []string{}, cli.Streams{Out: io.Discard, Err: io.Discard})
}

// group is what ends with one exit code, in the words of docs/reference.md.
type group struct {
	code    int
	meaning string
	kinds   []kind
}

// kind is an error as a command returns it; the name is that of what is told apart, perhaps with
// words behind it.
type kind struct {
	name string
	err  error
}

// exitCodes is the table of exit codes. They are an interface: none of these may change.
func exitCodes(t *testing.T) []group {
	t.Helper()
	api := func(status int) error { return &role.RequestError{Err: &session.APIError{Status: status}} }
	ended := func(code int) error {
		return &trial.Error{How: "run", Err: exec.Command("sh", "-c", fmt.Sprint("exit ", code)).Run()}
	}
	return []group{
		{1, "failed: network, an invalid answer, a file that cannot be written", []kind{
			{"anything else", errors.New("standard output: no space left on device")},
			{"context.Canceled", context.Canceled},
			{"context.DeadlineExceeded", &role.RequestError{Err: context.DeadlineExceeded}},
			{"fs.PathError", &fs.PathError{Op: "open", Path: "none", Err: fs.ErrNotExist}},
			{"net.OpError", &role.RequestError{Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}},
			{"role.RequestError", &role.RequestError{Err: errors.New("x")}},
			{"session.APIError 500", api(500)},
			{"session.APIError 503", api(503)},
			{"session.APIError 599", api(599)},
			{"session.ResponseError", &role.RequestError{Err: &session.ResponseError{Host: "h"}}},
			{"session.NetworkError", &role.RequestError{Err: &session.NetworkError{Host: "h", Err: syscall.ECONNREFUSED}}},
			{"session.ProxyError", &role.RequestError{Err: &session.NetworkError{Host: "h", Err: &session.ProxyError{Status: 407}}}},
			{"session.TimeoutError", &role.RequestError{Err: &session.TimeoutError{Err: &session.APIError{Status: 503}}}},
			{"config.BundleError", &config.BundleError{Setting: "AWS_CA_BUNDLE", Err: fs.ErrNotExist}},
			{"cache.FolderError", &cache.FolderError{Dir: "d"}},
			{"main.errNoCache", errNoCache},
			{"credfile.FileError", &credfile.FileError{Err: syscall.ENOSPC}},
			{"credfile.FileError, permission", &credfile.FileError{Err: &fs.PathError{Op: "open", Path: "p", Err: fs.ErrPermission}}},
			{"main.rivalError", &rivalError{"p", "default", "sso_session"}},
			{"main.unreadableError", &unreadableError{"p", errors.New("line 1")}},
			{"credfile.EncodingError", &credfile.FileError{Err: &credfile.EncodingError{}}},
			{"filelock.HeldError", &credfile.FileError{Err: &filelock.HeldError{}}},
			{"trial.Error", &trial.Error{How: "run", Err: errors.New("x")}},
			{"trial.Error, exit 1", ended(1)},
			{"trial.Error, exit 5", ended(5)},
			{"trial.Error, refused", &trial.Error{How: "http://127.0.0.1:9911", Err: &session.NetworkError{Host: "h", Err: syscall.ECONNREFUSED}}},
			{"keys.UnwrittenError", &role.KeyError{New: true, Err: &keys.UnwrittenError{Err: &fs.PathError{Op: "create", Path: "p", Err: fs.ErrExist}}}},
			{"keys.UnwrittenError, of a key that is made", &role.KeyError{New: true, Err: &keys.UnwrittenError{PrivateKey: "handle:0x81000001", Err: syscall.ENOSPC}}},
			{"main.listenError", &listenError{flag: "port", error: syscall.EADDRINUSE}},
			{"serve.TokenFileError", &serve.TokenFileError{Err: syscall.ENOSPC}},
			{"serve.ForeignTokenError", &serve.TokenFileError{Err: &serve.ForeignTokenError{Path: "p"}}},
			{"serve.HopLimitError", &serve.HopLimitError{Err: syscall.EPERM}},
			{"enrollclient.UnreachableError", &enrollclient.UnreachableError{Server: "ca", Err: syscall.ECONNREFUSED}},
			{"enrollclient.UntrustedError", &enrollclient.UntrustedError{Server: "ca"}},
			{"enrollclient.UntrustedError, with a public certificate", &enrollclient.UntrustedError{Server: "ca", System: true}},
			{"enrollclient.UntrustedError, at another URL", &enrollclient.UntrustedError{Server: "ca", Other: true}},
			{"enrollclient.UnmadeError", &enrollclient.UnmadeError{Dir: "d", Err: &fs.PathError{Op: "mkdir", Path: "d", Err: fs.ErrPermission}}},
			{"main.noTokenError", &noTokenError{cli.ErrNoTerminal}},
			{"enrollclient.AnswerError", &enrollclient.AnswerError{Server: "ca"}},
			{"enrollclient.AnswerError, of a proxy", &enrollclient.AnswerError{Server: "ca", Status: 502}},
			{"enrollclient.WaitingError", &enrollclient.WaitingError{Name: "web-01", Server: "ca", ID: "3f9c2ab07d5e8814"}},
			{"enrollclient.NameTakenError", &enrollclient.NameTakenError{Name: "web-01", Dir: "d"}},
			{"enrollclient.NameError", &enrollclient.NameError{Name: ".."}},
			{"enrollclient.RemovingError", &enrollclient.RemovingError{Dir: "d"}},
			{"enrollclient.HookError", &enrollclient.HookError{Serial: "1", Failed: []error{errors.New("x")}}},
			{"units.UnavailableError", &units.UnavailableError{Reason: "x"}},
			{"units.GroupError", &units.GroupError{Group: "web"}},
			{"units.CommandError", &units.CommandError{Line: "systemctl", Err: errors.New("x")}},
			{"hostdir.NotEnrolledError", &hostdir.NotEnrolledError{Path: "d"}},
			{"hostdir.FolderError", &hostdir.FolderError{Path: "d"}},
			{"hostdir.FolderError, in that of a host", &hostdir.FolderError{Path: "d/current", Host: "d"}},
			{"hostdir.FolderError, of another user", &hostdir.FolderError{Path: "d", Owner: "kedge"}},
			{"enrollapi.Error, for now", &enrollapi.Error{Code: enrollapi.Overloaded}},
			{"main.severalError", &severalError{errChooseDir}},
			{"main.errChooseDir", fmt.Errorf("%w: a, b", errChooseDir)},
			{"main.errDeclined", errDeclined},
			{"main.unwrittenError", &unwrittenError{Name: "web-01", Profile: "[default]"}},
			{"main.unusableError", &unusableError{Name: "web-01", Err: ended(1)}},
		}},
		{2, "the command line is wrong; nothing was tried", []kind{
			{"enrollapi.TokenTextError", &enrollapi.TokenTextError{Reason: "is empty"}},
			{"cli.UnconfirmedError", &cli.UnconfirmedError{Question: "q?", Err: cli.ErrNoTerminal}},
			{"main.noFingerprintError", &cli.UsageError{Err: &noFingerprintError{"https://ca.example.com"}}},
			{"cli.UsageError", &cli.UsageError{Err: errors.New("x")}},
			{"config.FlagError", usage(newRoot(cli.Streams{}, nil), &config.FlagError{Flag: "certificate", Err: config.ErrHardware})},
			{"config.ErrHardware", usage(newRoot(cli.Streams{}, nil), &config.FlagError{Flag: "certificate", Err: config.ErrHardware})},
			{"config.UnsetError, of a policy", usage(newRoot(cli.Streams{}, nil), &config.FlagError{Flag: "policy", Err: &config.UnsetError{Variable: "X"}})},
			{"config.ProxyEscapeError", usage(newRoot(cli.Streams{}, nil), &config.FlagError{Flag: "proxy", Err: &config.ProxyEscapeError{Character: '#'}})},
			{"config.ProxyVariableError", usage(newRoot(cli.Streams{}, nil), &config.ProxyVariableError{Variable: "HTTPS_PROXY", Err: errors.New("x")})},
			{"session.ARNError", usage(newRoot(cli.Streams{}, nil), &role.ARNError{Flag: "role-arn", Err: &session.ARNError{Field: "RoleARN"}})},
			{"role.ARNError", usage(newRoot(cli.Streams{}, nil), &role.ARNError{Flag: "role-arn", Err: &session.ARNError{Field: "RoleARN"}})},
			{"role.MissingError", usage(newRoot(cli.Streams{}, nil), &role.MissingError{Flags: []string{"role-arn"}})},
			{"session.ConfigError", usage(newRoot(cli.Streams{}, nil), &config.FlagError{Flag: "region", Err: &session.ConfigError{Field: "Region"}})},
			{"trial.Error, exit 2", ended(2)},
			{"main.errNoFile", &cli.UsageError{Err: errNoFile}},
			{"settings.FileError", refusedSection("serve", &settings.FileError{File: "config.yaml"})},
			{"settings.UnsafeError", refusedSection("serve", &settings.UnsafeError{File: "config.yaml"})},
		}},
		{3, "the service answered, and refused", []kind{
			{"enrollapi.Error", &enrollapi.Error{Code: enrollapi.TokenSpent}},
			{"enrollapi.Error, of a renewal", fmt.Errorf("web-01: %w", &enrollapi.Error{Code: enrollapi.Revoked})},
			{"enrollclient.EndedError", &enrollclient.EndedError{Name: "web-01", Dir: "d"}},
			{"main.unusedTokenError", &unusedTokenError{&enrollclient.EndedError{Name: "web-01", Dir: "d"}}},
			{"main.unusableError, refused", &unusableError{Name: "web-01", Err: ended(3)}},
			{"main.unusableError, with the answer", &unusableError{Name: "web-01", Err: api(403)}},
			{"session.APIError 400", api(400)},
			{"session.APIError 403", api(403)},
			{"session.APIError 404", api(404)},
			{"session.APIError 429", api(429)},
			{"session.APIError 499", api(499)},
			{"session.APIError 403, for too long", &role.RequestError{Err: &session.TimeoutError{Err: &session.APIError{Status: 403}}}},
			{"session.APIError 403, of a chain", &role.RequestError{Err: &session.APIError{Status: 403, RoleARN: "r"}, Chained: true}},
			{"trial.Error, exit 3", ended(3)},
		}},
		{4, "the private key, its password or the certificate is missing or cannot be used", unusable(ended)},
		{130, "Ctrl-C at a prompt", []kind{
			{"cli.ErrInterrupted", cli.ErrInterrupted},
			{"cli.ErrInterrupted, at a password", &role.KeyError{Err: fmt.Errorf("k: %w", cli.ErrInterrupted)}},
		}},
	}
}

// unusable are the errors about keys and certificates.
func unusable(ended func(int) error) []kind {
	all := []kind{
		{"role.KeyError", &role.KeyError{Err: errors.New("x")}},
		{"role.KeyError, no file", &role.KeyError{Err: &fs.PathError{Op: "open", Path: "none", Err: fs.ErrNotExist}}},
		{"role.KeyError, no permission", &role.KeyError{Err: &fs.PathError{Op: "open", Path: "none", Err: fs.ErrPermission}}},
		{"role.KeyError, slow hardware", &role.KeyError{Err: context.DeadlineExceeded}},
		{"role.KeyError, not in time for a refused request", &role.KeyError{Err: errors.Join(&signer.ValidityError{}, &session.APIError{Status: 403})}},
		{"role.KeyError, of files that are swapped", &role.KeyError{Err: errors.New("x"), Mistake: role.Swapped}},
		{"role.KeyError, of a CA", &role.KeyError{Err: errors.New("x"), Mistake: role.CertificateOfCA}},
		{"role.KeyError, of a new key", &role.KeyError{New: true, Err: errors.New("x")}},
		{"cli.ErrNoTerminal, for a new key", &role.KeyError{New: true, Err: cli.ErrNoTerminal}},
		{"config.ErrPasswordEmpty", &role.KeyError{New: true, Err: config.ErrPasswordEmpty}},
		{"config.ErrPasswordsDiffer", &role.KeyError{New: true, Err: config.ErrPasswordsDiffer}},
		{"keys.ErrSecretEmpty", &role.KeyError{New: true, Err: keys.ErrSecretEmpty}},
		{"tpm.ErrHandleTaken", &role.KeyError{New: true, Err: tpm.ErrHandleTaken}},
		{"tpm.AuthError, of the owner", &role.KeyError{New: true, Err: &tpm.AuthError{Of: "owner"}}},
		{"trial.Error, exit 4", ended(4)},
	}
	for name, err := range map[string]error{
		"cli.ErrNoTerminal":           cli.ErrNoTerminal,
		"config.UnsetError":           &config.UnsetError{Variable: "X"},
		"signer.RuleError":            &signer.RuleError{},
		"signer.KeyMismatchError":     &signer.KeyMismatchError{},
		"signer.ValidityError":        &signer.ValidityError{},
		"signer.FileError":            &signer.FileError{Err: errors.New("x")},
		"signer.PossessionError":      &signer.PossessionError{},
		"signer.SignError":            &signer.SignError{Err: errors.New("x")},
		"signer.ErrNoPrivateKey":      signer.ErrNoPrivateKey,
		"signer.ManyKeysError":        &signer.ManyKeysError{},
		"safefile.InputError":         &safefile.InputError{},
		"keyfile.ErrNoCertificate":    keyfile.ErrNoCertificate,
		"keyfile.ErrPasswordRequired": keyfile.ErrPasswordRequired,
		"keyfile.ErrWrongPassword":    keyfile.ErrWrongPassword,
		"pkcs11.MissingHelperError":   &pkcs11.MissingHelperError{},
		"pkcs11.NoModuleError":        &pkcs11.NoModuleError{},
		"pkcs11.HelperError":          &pkcs11.HelperError{},
		"pkcs11.NotFoundError":        &pkcs11.NotFoundError{},
		"pkcs11.AmbiguousError":       &pkcs11.AmbiguousError{},
		"pkcs11.PINError":             &pkcs11.PINError{},
		"pkcs11.ErrPINRequired":       pkcs11.ErrPINRequired,
		"pkcs11.ErrCannotSign":        pkcs11.ErrCannotSign,
		"pkcs11.ErrNoPublicKey":       pkcs11.ErrNoPublicKey,
		"tpm.UnfitError":              &tpm.UnfitError{},
		"tpm.AuthError":               &tpm.AuthError{Of: "key"},
		"tpm.ErrNoDevice":             tpm.ErrNoDevice,
		"tpm.ErrAuthRequired":         tpm.ErrAuthRequired,
		"tpm.ErrForeignKey":           tpm.ErrForeignKey,
		"tpm.ErrBusy":                 tpm.ErrBusy,
		"tpm.ErrNoHandle":             tpm.ErrNoHandle,
		"tpm.ErrClosed":               tpm.ErrClosed,
	} {
		all = append(all, kind{name, &role.KeyError{Err: fmt.Errorf("k: %w", err)}}, kind{name, &role.KeyError{New: true, Err: fmt.Errorf("k: %w", err)}})
	}
	return all
}

// TestExitCodes: each kind of error ends with its code, and docs/reference.md has the meaning of each code.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	documented := testenv.ExitCodes(t, "")
	listed := map[int]string{0: documented[0]}
	for _, g := range exitCodes(t) {
		listed[g.code] = g.meaning
		for _, k := range g.kinds {
			if code := exitCode(k.err); code != g.code {
				t.Errorf("%s: exit %d, want %d", k.name, code, g.code)
			}
		}
	}
	for code := range 256 {
		if documented[code] != listed[code] {
			t.Errorf("exit code %d: docs/reference.md has %q, the table %q", code, documented[code], listed[code])
		}
	}
	if code := exitCode(nil); code != 0 {
		t.Errorf("exit %d without an error", code)
	}
}

// TestExitCodes_help: the help names the codes of docs/reference.md.
func TestExitCodes_help(t *testing.T) {
	t.Parallel()
	documented, helped := testenv.ExitCodes(t, ""), testenv.ExitCodes(t, newRoot(cli.Streams{}, nil).Long)
	for code := range 256 {
		if (documented[code] == "") != (helped[code] == "") {
			t.Errorf("exit code %d: docs/reference.md has %q, the help %q", code, documented[code], helped[code])
		}
	}
}

// TestExitCodes_command: what exec runs ends with its own code, and there are two where it cannot be run.
func TestExitCodes_command(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		code int
	}{
		{&cli.StatusError{Code: 77}, 77},
		{&cli.StatusError{Code: 3}, 3},
		{&process.StartError{Name: "x", Err: exec.ErrNotFound}, 127},
		{&process.StartError{Name: "x", Err: fs.ErrNotExist}, 127},
		{&process.StartError{Name: "x", Found: true, Err: fs.ErrNotExist}, 127},
		{&process.StartError{Name: "x", Found: true, Err: syscall.ENOEXEC}, 126},
		{&process.StartError{Name: "x", Found: true, Err: fs.ErrPermission}, 126},
	} {
		if code := exitCode(tt.err); code != tt.code {
			t.Errorf("%v: exit %d, want %d", tt.err, code, tt.code)
		}
	}
}

// TestExitCodes_complete: no error is without a code in the table.
func TestExitCodes_complete(t *testing.T) {
	t.Parallel()
	known := []string{"cli.StatusError", "process.StartError"} // in the table of commands
	for _, g := range exitCodes(t) {
		for _, k := range g.kinds {
			kind, _, _ := strings.Cut(strings.Fields(k.name)[0], ",")
			known = append(known, kind)
			if strings.HasSuffix(kind, "Error") && !slices.Contains(testenv.KindsIn(k.err), kind) && g.code != cli.ExitUsage {
				t.Errorf("%s: it is %q", k.name, testenv.KindsIn(k.err))
			}
		}
	}
	elsewhere := map[string]string{"config.FolderError": "of flags of kedge-ca"}
	for _, kind := range testenv.ErrorKinds(t, "cmd/kedge", "internal/role", "internal/trial", "internal/cache", "internal/cli", "internal/config", "internal/credfile", "internal/filelock", "internal/units",
		"internal/keys", "internal/process", "internal/serve", "internal/settings", "signer", "signer/keyfile", "signer/session", "pkcs11", "tpm") {
		if !slices.Contains(known, kind) && elsewhere[kind] == "" {
			t.Errorf("%s is in no row", kind)
		}
	}
}
