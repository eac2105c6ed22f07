package pkcs11_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"log"

	"kedge/pkcs11"
)

// A key and its certificate by one URI. The program kedge-pkcs11 must be installed.
func Example() {
	ctx := context.Background()
	uri, err := pkcs11.ParseURI("pkcs11:token=web;object=web-1?module-name=softhsm2&pin-source=file:/etc/kedge/pin")
	if err != nil {
		log.Fatal(err)
	}
	module, err := pkcs11.Load(ctx, uri, pkcs11.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer module.Close()
	key, err := module.Key(ctx, uri, nil)
	if err != nil {
		log.Fatal(err)
	}
	leaf, err := key.Certificate(ctx)
	if err != nil {
		log.Fatal(err)
	}
	digest := sha256.Sum256([]byte("what is to be signed"))
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s signed %x\n", leaf.Subject, signature)
}

func ExampleParseURI() {
	uri, err := pkcs11.ParseURI("pkcs11:object=k;token=web?pin-value=1234")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(uri)
	// Output: pkcs11:token=web;object=k
}
