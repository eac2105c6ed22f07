package session_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"kedge/signer"
	"kedge/signer/session"
)

// A program gives the SDK credentials that renew themselves, and goes on as usual.
//
// Here the emulator stands in for AWS; without Endpoint and BaseEndpoint the same program
// talks to AWS.
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
	cfg := aws.Config{
		Region: client.Region(),
		Credentials: aws.NewCredentialsCache(session.NewProvider(client, source), func(o *aws.CredentialsCacheOptions) {
			o.ExpiryWindow = 5 * time.Minute // renew that much before they expire
		}),
		BaseEndpoint: aws.String(service.URL),
	}

	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*who.Arn)
	// Output: arn:aws:sts::111122223333:assumed-role/kedge/example
}
