//go:build cgo && unix

package main

import (
	"crypto"
	"crypto/sha256"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	miekg "github.com/miekg/pkcs11"

	"kedge/internal/testenv"
	"kedge/pkcs11"
)

// BenchmarkSign compares signatures by package pkcs11, through the process of the module, with a
// bare loop on github.com/miekg/pkcs11: by one caller, and by twenty at once.
func BenchmarkSign(b *testing.B) {
	h := testenv.NewSoftHSM(b)
	h.InitToken(b, "t")
	for _, kind := range []string{"EC:prime256v1", "rsa:2048"} {
		h.Generate(b, "t", kind, map[string]string{"EC:prime256v1": "01", "rsa:2048": "02"}[kind], kind)
		key := throughProcess(b, h, kind)
		session := bare(b, h, kind)
		for _, callers := range []struct {
			name string
			n    int
		}{{"1", 1}, {"20", 20}} {
			b.Run(kind+"/bare/"+callers.name, func(b *testing.B) { share(b, callers.n, session) })
			b.Run(kind+"/pkcs11/"+callers.name, func(b *testing.B) { share(b, callers.n, key) })
		}
	}
}

// share divides b.N signatures between callers, each with a function of its own.
func share(b *testing.B, callers int, newSign func() func() error) {
	var wg sync.WaitGroup
	b.ResetTimer()
	for i := range callers {
		sign := newSign()
		n := b.N / callers
		if i < b.N%callers {
			n++
		}
		wg.Go(func() {
			for range n {
				if err := sign(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signatures/s")
}

func throughProcess(b *testing.B, h *testenv.SoftHSM, label string) func() func() error {
	u, err := pkcs11.ParseURI("pkcs11:token=t;object=" + label + "?pin-value=1234")
	if err != nil {
		b.Fatal(err)
	}
	m, err := pkcs11.Load(b.Context(), u, pkcs11.Options{Helper: testenv.PKCS11Helper(b), Module: h.Module, Environment: h.Environment()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Close() })
	key, err := m.Key(b.Context(), u, nil)
	if err != nil {
		b.Fatal(err)
	}
	digest := make([]byte, sha256.Size)
	return func() func() error {
		return func() error {
			_, err := key.Sign(nil, digest, crypto.SHA256)
			return err
		}
	}
}

// bare signs with the module in this process, a session for each caller.
func bare(b *testing.B, h *testenv.SoftHSM, label string) func() func() error {
	for _, variable := range h.Environment() {
		if name, value, _ := strings.Cut(variable, "="); name == "SOFTHSM2_CONF" {
			os.Setenv(name, value) // the C library's environment too, with cgo
		}
	}
	c := miekg.New(h.Module)
	if err := c.Initialize(); err != nil && !errors.Is(err, miekg.Error(miekg.CKR_CRYPTOKI_ALREADY_INITIALIZED)) {
		b.Fatal(err)
	}
	slots, err := c.GetSlotList(true)
	if err != nil {
		b.Fatal(err)
	}
	mechanism, data := uint(miekg.CKM_ECDSA), make([]byte, sha256.Size)
	if strings.HasPrefix(label, "rsa") {
		mechanism, data = miekg.CKM_RSA_PKCS, make([]byte, 51)
	}
	return func() func() error {
		s, err := c.OpenSession(slots[0], miekg.CKF_SERIAL_SESSION)
		if err != nil {
			b.Fatal(err)
		}
		c.Login(s, miekg.CKU_USER, "1234") // by the first of them
		if err := c.FindObjectsInit(s, []*miekg.Attribute{
			miekg.NewAttribute(miekg.CKA_CLASS, miekg.CKO_PRIVATE_KEY), miekg.NewAttribute(miekg.CKA_LABEL, label),
		}); err != nil {
			b.Fatal(err)
		}
		keys, _, err := c.FindObjects(s, 1)
		if err != nil || len(keys) != 1 {
			b.Fatal(len(keys), err)
		}
		if err := c.FindObjectsFinal(s); err != nil {
			b.Fatal(err)
		}
		return func() error {
			if err := c.SignInit(s, []*miekg.Mechanism{miekg.NewMechanism(mechanism, nil)}, keys[0]); err != nil {
				return err
			}
			_, err := c.Sign(s, data)
			return err
		}
	}
}
