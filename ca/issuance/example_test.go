package issuance_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509/pkix"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
)

// keys are those of a CA that keeps them in memory.
type keys map[string]crypto.Signer

func (k keys) Signer(_ context.Context, authority string, _ crypto.PublicKey) (crypto.Signer, error) {
	if key, ok := k[authority]; ok {
		return key, nil
	}
	return nil, &issuance.NoKeyError{Authority: authority}
}

func (k keys) Has(authority string) (bool, error) { return k[authority] != nil, nil }

func (k keys) add(authority string) crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	k[authority] = key
	return key
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// A CA is founded, issues, renews, revokes, makes its list and changes its root, without a file but its
// ledger.
func Example() {
	ctx := context.Background()
	now := time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	dir, err := os.MkdirTemp("", "")
	check(err)
	defer os.RemoveAll(dir)
	l, err := ledger.Open(ctx, filepath.Join(dir, "ledger.db"), ledger.Options{Create: true, Now: clock})
	check(err)
	defer l.Close()
	k := keys{}
	s, err := issuance.New(issuance.Config{Ledger: l, Keys: k, Now: clock})
	check(err)

	config := ca.AuthorityConfig{Subject: pkix.Name{CommonName: "Example CA"}, Lifetime: 3650 * 24 * time.Hour, MaxPathLen: -1}
	root, err := ca.PrepareRoot(k.add(issuance.RootName), config, now)
	check(err)
	_, err = s.Found(ctx, root)
	check(err)

	issuer, err := s.Issuer(ctx, "")
	check(err)
	host, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	leaf, err := issuer.Prepare(ca.DefaultProfile(), ca.Request{Name: "web-01", Public: host.Public()})
	check(err)
	first, err := leaf.Issue(ctx)
	check(err)

	now = now.Add(16 * time.Hour)
	renewal := issuance.Renewal{Old: ledger.Describe(first.Certificate), Renewal: ca.Renewal{Profile: ca.DefaultProfile()}}
	second, err := issuer.Renew(ctx, renewal)
	check(err)
	again, err := issuer.Renew(ctx, renewal) // the host did not get the answer
	check(err)
	fmt.Printf("renewed once: %v\n", again.Again && again.Certificate.Equal(second.Certificate))

	name, err := issuance.SelectName("arn:aws:sts::111122223333:assumed-role/web/web-01")
	check(err)
	chosen, err := s.ToRevoke(ctx, []issuance.Selector{name}, ca.KeyCompromise)
	check(err)
	changed, err := s.Revoke(ctx, chosen.Certificates, ca.KeyCompromise, "the disk was stolen")
	check(err)
	request := issuance.CRLRequest{Authority: changed.Behind[0].Name, Valid: 7 * 24 * time.Hour}
	lists := map[string][]byte{}
	list, err := s.PublishCRL(ctx, request, func(m *issuance.CRL) error {
		lists[m.Authority] = m.PEM
		return nil
	})
	check(err)
	fmt.Printf("list %d of %s: %d revoked\n", list.Number, list.Issuer, list.Entries)

	start, err := s.PlanStart(ctx)
	check(err)
	config, err = start.Config(issuance.RootOptions{})
	check(err)
	root, err = ca.PrepareRoot(k.add(start.Name), config, now)
	check(err)
	cert, _, err := s.IssueCA(ctx, root)
	check(err)
	_, err = s.Start(ctx, start, cert)
	check(err)
	to, err := s.PlanSwitch(ctx, "")
	check(err)
	check(s.Switch(ctx, to))
	finish, err := s.PlanFinish(ctx)
	check(err)
	check(s.Retire(ctx, finish))
	anchors, err := s.Anchors(ctx, "")
	check(err)
	fmt.Printf("the trust anchor has %s alone\n", anchors[0].Certificate.Subject)
	// Output:
	// renewed once: true
	// list 1 of CN=Example CA: 2 revoked
	// the trust anchor has CN=Example CA 2 alone
}
