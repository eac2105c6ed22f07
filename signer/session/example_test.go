package session_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/signer"
	"kedge/signer/session"
)

// A program gives the SDK credentials that renew themselves, and goes on as usual.
//
// Here the emulator stands in for AWS; without Endpoint the same program talks to AWS.
func ExampleProvider() {
	service := startEmulator()
	defer service.Close()
	certificate, key := service.issue("web-1")
	defer os.RemoveAll(service.folder)

	source, err := signer.NewFileSource(signer.Files{
		Certificate: signer.File(certificate),
		PrivateKey:  signer.File(key),
		Now:         time.Now,
	})
	if err != nil {
		log.Fatal(err)
	}
	client, err := session.New(session.Config{
		TrustAnchorARN:  service.TrustAnchorARN(),
		ProfileARN:      service.ProfileARN(),
		RoleARN:         service.RoleARN(),
		RoleSessionName: "example",
		Endpoint:        service.URL,
		Now:             time.Now,
	})
	if err != nil {
		log.Fatal(err)
	}
	// As aws.Config{Credentials: credentials} any client of the SDK takes them.
	credentials := aws.NewCredentialsCache(session.NewProvider(client, source))

	got, err := credentials.Retrieve(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.Source, got.AccountID, time.Until(got.Expires).Round(time.Hour))
	// Output: RolesAnywhereProvider 111122223333 1h0m0s
}
