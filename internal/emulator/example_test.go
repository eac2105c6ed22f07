package emulator_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"time"

	"kedge/internal/emulator"
)

// A test that wants a service starts one around its CA, and afterwards asks what was called.
func Example() {
	e, err := emulator.New(emulator.Config{TrustAnchors: []emulator.TrustAnchor{{Certificates: exampleCA()}}})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(e.Handler())
	defer server.Close()

	// The client under test gets server.URL and these.
	fmt.Println(e.TrustAnchorARN())
	fmt.Println(e.ProfileARN())
	fmt.Println(e.RoleARN())

	// The next request meets a throttled service.
	if err := e.Inject(emulator.Fault{Kind: "throttle"}); err != nil {
		log.Fatal(err)
	}
	response, err := http.Post(server.URL+"/sessions", "application/json", nil)
	if err != nil {
		log.Fatal(err)
	}
	response.Body.Close()
	fmt.Println(response.StatusCode, len(e.Calls()), len(e.Sessions()))
	// Output:
	// arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000001
	// arn:aws:rolesanywhere:us-east-1:111122223333:profile/6b656467-6500-4000-9000-000000000001
	// arn:aws:iam::111122223333:role/kedge
	// 429 1 0
}

func exampleCA() []byte {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Example CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		log.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
