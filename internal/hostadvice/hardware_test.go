package hostadvice

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"kedge/internal/cli"
	"kedge/internal/role"
	"kedge/pkcs11"
	"kedge/signer"
	"kedge/tpm"
)

// TestAdvise_hardware has a row for each error of packages tpm and pkcs11.
func TestAdvise_hardware(t *testing.T) {
	tests := []struct {
		err  error
		hint string // what it must say
	}{
		{&pkcs11.MissingHelperError{}, "install kedge-pkcs11"},
		{&pkcs11.NoModuleError{}, "--pkcs11-lib PATH"},
		{&pkcs11.HelperError{Module: "/lib/hsm.so"}, "pkcs11-tool --module /lib/hsm.so -O"},
		{&pkcs11.PINError{}, "each run is another try"},
		{&pkcs11.PINError{Retries: pkcs11.RetriesLow}, "each run is another try"},
		{&pkcs11.PINError{Retries: pkcs11.RetriesOne}, "the next wrong one locks the token"},
		{&pkcs11.PINError{Retries: pkcs11.RetriesNone}, "--init-pin"},
		{&pkcs11.AmbiguousError{What: "key"}, "copy one of these keys"},
		{&pkcs11.NotFoundError{What: "token"}, "plug the token in"},
		{&pkcs11.NotFoundError{What: "token", There: []pkcs11.URI{{}}}, "copy one of these"},
		{&pkcs11.NotFoundError{What: "private key"}, "pkcs11-tool --login -O"},
		{&pkcs11.NotFoundError{What: "certificate", There: []pkcs11.URI{{}}}, "put the certificate onto the token"},
		{pkcs11.ErrPINRequired, "pin-source=file:PATH"},
		{pkcs11.ErrNoPublicKey, "--certificate"},
		{pkcs11.ErrCannotSign, "kedge key create"},
		{&tpm.AuthError{Of: "key", Locked: true}, "--clear-lockout"},
		{&tpm.AuthError{Of: "key", Counted: true, Tries: 5, Max: 5}, "--clear-lockout"},
		{&tpm.AuthError{Of: "key", Counted: true, Tries: 1, Max: 5}, "--key-password-from"},
		{&tpm.AuthError{Of: "parent"}, "parent-auth-source"},
		{&tpm.AuthError{Of: "owner"}, "owner-auth-source"},
		{&tpm.UnfitError{Reason: "the key may only decrypt"}, "kedge key create --tpm"},
		{tpm.ErrAuthRequired, "auth-source in a tpm: URI"},
		{tpm.ErrForeignKey, "the TPM that made the key"},
		{tpm.ErrBusy, "/dev/tpmrm0"},
		{tpm.ErrNoHandle, "handles-persistent"},
		{tpm.ErrNoDevice, "TPM_DEVICE"},
		{context.DeadlineExceeded, "--timeout"},
	}
	for _, tt := range tests {
		for _, err := range []error{&role.KeyError{Err: fmt.Errorf("k: %w", tt.err)}, &role.KeyError{Err: &signer.SignError{Err: tt.err}}} {
			if got := Table().Of(err); got.Code != cli.ExitKey || !strings.Contains(got.Hint, tt.hint) {
				t.Errorf("%T: exit %d, hint %q, want one with %q", tt.err, got.Code, got.Hint, tt.hint)
			}
		}
	}
}

// TestNewKey_noSecret: --no-password is named where it could be given, which a key on a token or in a TPM, and
// kedge enroll, do not have.
func TestNewKey_noSecret(t *testing.T) {
	t.Parallel()
	for _, mayBeClear := range []bool{true, false} {
		err := &role.KeyError{Err: fmt.Errorf("the PIN is needed: %w", cli.ErrNoTerminal), New: true, Clear: mayBeClear}
		got := Table().Of(err)
		if got.Code != cli.ExitKey || !strings.HasPrefix(got.Hint, giveSecret) || strings.Contains(got.Hint, "--no-password") != mayBeClear {
			t.Errorf("in the clear: %v, exit %d, hint %q", mayBeClear, got.Code, got.Hint)
		}
	}
}

// TestDeviceHint: each system lacks something else.
func TestDeviceHint(t *testing.T) {
	missing := errors.Join(tpm.ErrNoDevice, &fs.PathError{Op: "open", Path: "/dev/tpmrm0", Err: fs.ErrNotExist})
	for system, want := range map[string]string{
		"linux": "ls /dev/tpm*", "darwin": "macOS has no TPM", "windows": "tpm.msc", "freebsd": "ls /dev/tpm*",
	} {
		if hint := hardware(system).Of(missing).Hint; !strings.Contains(hint, want) {
			t.Errorf("%s: hint %q, want one with %q", system, hint, want)
		}
	}
	if hint := hardware("linux").Of(tpm.ErrNoDevice).Hint; !strings.Contains(hint, "listens") {
		t.Errorf("a socket: hint %q", hint)
	}
}
