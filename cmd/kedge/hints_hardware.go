package main

import (
	"context"
	"errors"
	"runtime"

	"kedge/internal/advice"
)

// hardwareHint is the advice for a key in a TPM or on a token, or empty.
func hardwareHint(err error) string {
	if hint := hardwareRows(runtime.GOOS).Of(err).Hint; hint != "" {
		return hint
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "if the hardware is slow or busy, or somebody types, raise --timeout"
	}
	return ""
}

// hardwareRows are the rows about hardware on a system, in the words of this program.
func hardwareRows(system string) advice.Table {
	return advice.Hardware(advice.Program{
		Name:      name,
		Public:    "give the certificate's file with --certificate, or put the certificate or the public key onto the token",
		Elsewhere: `use the TPM that made the key, or make a new key in this one ("kedge key create --tpm") and have a certificate issued for it`,
		System:    system,
	})
}
