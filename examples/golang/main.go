// Command golang asks STS who it is, with credentials that it gets by itself: no helper, no
// configuration of the SDK.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"kedge/signer"
	"kedge/signer/session"
)

func main() {
	certificate := flag.String("certificate", "", "certificate, PEM")
	key := flag.String("private-key", "", "private key, PEM")
	anchor := flag.String("trust-anchor-arn", "", "ARN of the trust anchor")
	profile := flag.String("profile-arn", "", "ARN of the profile")
	role := flag.String("role-arn", "", "ARN of the role")
	endpoint := flag.String("endpoint", "", "URL of an emulator (default: AWS)")
	flag.Parse()

	// The pair is read again when its files change, so a long-lived program renews its certificate
	// by having new files put there.
	source, err := signer.NewFileSource(signer.Files{
		Certificate: signer.File(*certificate), PrivateKey: signer.File(*key), Now: time.Now,
	})
	if err != nil {
		log.Fatal(err)
	}
	client, err := session.New(session.Config{
		TrustAnchorARN: *anchor, ProfileARN: *profile, RoleARN: *role, Endpoint: *endpoint, Now: time.Now,
	})
	if err != nil {
		log.Fatal(err)
	}
	cfg := aws.Config{
		Region:      client.Region(),
		Credentials: aws.NewCredentialsCache(session.NewProvider(client, source)),
	}
	if *endpoint != "" {
		cfg.BaseEndpoint = endpoint
	}
	identity, err := sts.NewFromConfig(cfg).GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(aws.ToString(identity.Arn))
}
