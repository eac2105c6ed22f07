package ca_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509/pkix"
	"fmt"
	"log"
	"time"

	"kedge/ca"
)

// printer is a Recorder. One that keeps a ledger writes it to a disk before it returns.
type printer struct{}

func (printer) RecordIssued(_ context.Context, i ca.Issued) error {
	fmt.Printf("recorded %s for host %s\n", i.Certificate.Subject, i.Host)
	return nil
}

// A root, and a leaf that CreateSession accepts where the root is the trust anchor.
func Example() {
	ctx, now := context.Background(), time.Now()
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // or a crypto.Signer that never shows its key
	if err != nil {
		log.Fatal(err)
	}
	prepared, err := ca.PrepareRoot(rootKey, ca.AuthorityConfig{
		Subject:  pkix.Name{CommonName: "Example Workloads"},
		Lifetime: 10 * 365 * 24 * time.Hour,
	}, now)
	if err != nil {
		log.Fatal(err)
	}
	cert, err := prepared.Issue(ctx, ca.Unrecorded{})
	if err != nil {
		log.Fatal(err)
	}
	root, err := ca.New(cert, rootKey)
	if err != nil {
		log.Fatal(err)
	}

	profile, err := ca.NewProfile("web", ca.ProfileConfig{
		Subject: ca.SubjectConfig{Organization: "Example"},
		Names:   []string{"web-*"},
		SAN:     ca.SANConfig{URI: []string{"spiffe://example.org/web/*"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	request := ca.Request{Name: "web-01", Public: key.Public(), Host: "rack 7"}
	if prepared, err = root.PrepareLeaf(profile, request, now); err != nil {
		log.Fatal(err)
	}
	leaf, err := prepared.Issue(ctx, printer{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(leaf.Subject, "by", leaf.Issuer)

	request.Name = "mail-01"
	_, err = root.PrepareLeaf(profile, request, now)
	fmt.Println(err)
	// Output:
	// recorded CN=web-01,O=Example for host rack 7
	// CN=web-01,O=Example by CN=Example Workloads
	// the name "mail-01" is not one that is issued: web-* (profile "web", names)
}
