package session_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"kedge/internal/emulator"
	"kedge/signer"
	"kedge/signer/session"
)

// The role of the profile assumes one of another account, and that one's credentials are the
// program's.
func ExampleNewChainProvider() {
	service := startEmulator()
	defer service.Close()
	certificate, key := service.issue("web-1")
	defer os.RemoveAll(service.folder)
	const other = "arn:aws:iam::444455556666:role/backup"
	if err := service.PutRole(emulator.Role{ARN: other, ExternalID: "2f1c"}); err != nil {
		log.Fatal(err)
	}

	source, err := signer.NewFileSource(signer.Files{Certificate: signer.File(certificate), PrivateKey: signer.File(key), Now: time.Now})
	if err != nil {
		log.Fatal(err)
	}
	client, err := session.New(session.Config{
		TrustAnchorARN: service.TrustAnchorARN(), ProfileARN: service.ProfileARN(), RoleARN: service.RoleARN(),
		Endpoint: service.URL, // leave it out to ask AWS
		Now:      time.Now,
	})
	if err != nil {
		log.Fatal(err)
	}
	chain, err := session.NewChain(client, session.ChainConfig{
		Roles:    []session.AssumeConfig{{RoleARN: other, ExternalID: "2f1c", Duration: 30 * time.Minute}},
		Endpoint: service.URL, // of STS; leave it out to ask AWS
	})
	if err != nil {
		log.Fatal(err)
	}
	credentials, err := session.NewChainProvider(chain, source).Retrieve(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(credentials.AccountID, time.Until(credentials.Expires) <= 30*time.Minute)
	// Output: 444455556666 true
}
