package tpm_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"fmt"
	"log"
	"os"

	"kedge/tpm"
)

// A key file made by openssl, by kedge or by another tool signs a digest in the system's TPM.
func Example() {
	file, err := os.ReadFile("host.tss2.pem")
	if err != nil {
		log.Fatal(err)
	}
	key, err := tpm.Open(context.Background(), tpm.Config{
		File:    file,
		KeyAuth: func() ([]byte, error) { return os.ReadFile("host.auth") },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer key.Close()
	digest := sha256.Sum256([]byte("message"))
	signature, err := key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%x\n", signature)
}
