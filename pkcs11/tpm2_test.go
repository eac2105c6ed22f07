package pkcs11

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"kedge/internal/testenv"
)

// loadTPM2 loads libtpm2-pkcs11. Without a resource manager its TPM has room for one key in use:
// each Module is given back before the next.
func loadTPM2(t *testing.T, peer *testenv.TPM2PKCS11) (m *Module, done func()) {
	t.Helper()
	m, err := Load(t.Context(), URI{}, Options{
		Helper: testenv.PKCS11Helper(t), Module: peer.Module, Environment: peer.Environment(t),
		PIN: func(PINInfo) ([]byte, error) { return []byte("1234"), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, func() {
		m.Close()
		peer.Flush(t)
	}
}

// TestTPM2Module: keys of a module that is not SoftHSM, made by OpenSC and by this package.
func TestTPM2Module(t *testing.T) {
	t.Parallel()
	peer := testenv.NewTPM2PKCS11(t, "hw")
	peer.Tool(t, "hw", "--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--label", "theirs")
	for _, keyType := range []string{"P-256", "RSA-2048"} {
		m, done := loadTPM2(t, peer)
		if _, err := m.Generate(t.Context(), parse(t, "pkcs11:token=hw;object="+keyType), keyType); err != nil {
			t.Errorf("%s: %v", keyType, err)
		}
		done()
	}
	for _, label := range []string{"theirs", "P-256", "RSA-2048"} {
		m, done := loadTPM2(t, peer)
		// By this name kedge-pkcs11 knows that it is to use one session at a time.
		if name, err := m.Library(t.Context()); err != nil || !strings.HasPrefix(name, "tpm2-software.github.io ") {
			t.Errorf("the module says that it is %q, %v", name, err)
		}
		k := open(t, m, "pkcs11:token=hw;object="+label)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 5 {
					signs(t, k)
				}
			})
		}
		wg.Wait()
		verifiesRequest(t, k)
		cert := selfSigned(t, "hw", k)
		if err := m.ImportCertificate(t.Context(), k.URI(), cert); err != nil {
			t.Errorf("%s: %v", label, err)
		} else if got, err := k.Certificate(t.Context()); err != nil || !got.Equal(cert) {
			t.Errorf("%s: the certificate is %v, %v", label, got, err)
		}
		done()
	}
}

// TestTPM2Restarts: the TPM behind the module goes away and comes back.
func TestTPM2Restarts(t *testing.T) {
	t.Parallel()
	peer := testenv.NewTPM2PKCS11(t, "hw")
	peer.Tool(t, "hw", "--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--label", "k")
	m, done := loadTPM2(t, peer)
	defer done()
	k := open(t, m, "pkcs11:token=hw;object=k")
	signs(t, k)
	peer.TPM.Stop(t)
	if err := signOnce(k); err == nil || errors.As(err, new(*PINError)) {
		t.Errorf("without TPM: %v", err)
	}
	peer.TPM.Start(t)
	signs(t, k)
}
