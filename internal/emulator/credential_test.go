package emulator

import (
	"crypto/x509"
	"math/big"
	"testing"

	"kedge/internal/emulator/wire"
)

// TestCheckCredential_region: the service is in its own region also when no trust anchor is left there, and elsewhere only
// with one.
func TestCheckCredential_region(t *testing.T) {
	t.Parallel()
	e, err := New(Config{Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(7)}
	for region, want := range map[string]bool{"eu-west-1": true, "eu-west-2": false} {
		c := wire.Credential{Key: "7", Date: "20261130", Region: region, Service: rolesService, Terminator: wire.Terminator}
		if refused := e.checkCredential(c, "20261130T000000Z", leaf); (refused == nil) != want {
			t.Errorf("%s: %v", region, refused)
		}
	}
}
