package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/internal/config"
	"kedge/internal/localca"
	"kedge/scripts/bench/workload"
)

// past is the CA as it was when the hosts got the certificates that they have.
type past struct {
	dir      string
	ledger   string        // DSN; empty: a file
	age      time.Duration // of the certificates
	lifetime time.Duration
}

func (p past) now() time.Time { return time.Now().Add(-p.age) }

// keys opens the keys of the CA, which have no password.
func (p past) keys() *cadir.Keys {
	return &cadir.Keys{Folder: cadir.Folder{Dir: p.dir}, Host: config.Host{
		Now: p.now,
		Ask: func(string) ([]byte, error) { return nil, errors.New("the key has no password") },
	}}
}

func (p past) config() localca.Config {
	return localca.Config{Keys: p.keys(), AnyClock: true, Warn: func(string) {}}
}

// make makes the CA, whose limits are those by default.
func (p past) make(ctx context.Context) (*x509.Certificate, error) {
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		return nil, err
	}
	settings := fmt.Sprintf("profiles: {workload: {lifetime: {default: %v}}}\n", ca.Duration(p.lifetime))
	if p.ledger != "" {
		settings += "ledger: '" + p.ledger + "'\n"
	}
	if err := os.WriteFile(filepath.Join(p.dir, cadir.SettingsName), []byte(settings), 0o600); err != nil {
		return nil, err
	}
	root := ca.AuthorityConfig{Subject: pkix.Name{CommonName: "Fleet CA"}, Lifetime: 365 * 24 * time.Hour, MaxPathLen: -1}
	return localca.Make(ctx, p.config(), root, cadir.KeyRequest{
		Generate: func() (crypto.Signer, []byte, error) {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				return nil, nil, err
			}
			der, err := x509.MarshalPKCS8PrivateKey(key)
			return key, der, err
		},
		Password: func(string) ([]byte, []string, error) { return nil, nil, nil },
	})
}

// hosts issues a certificate for each of n hosts.
func (p past) hosts(ctx context.Context, n int) (all []*host, err error) {
	opened, err := localca.Open(ctx, p.config(), ledger.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	profile, err := opened.Settings.Profile("")
	if err != nil {
		return nil, err
	}
	issuer, err := opened.Service.Issuer(ctx, "")
	if err != nil {
		return nil, err
	}
	all = make([]*host, n)
	_, err = workload.RunWith(256, n, func(i int) (err error) {
		all[i], err = first(ctx, issuer, profile, i)
		return err
	})
	return all, err
}

// first returns a host with its first certificate.
func first(ctx context.Context, issuer *issuance.Issuer, profile *ca.Profile, i int) (*host, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	h := &host{name: fmt.Sprintf("host-%06d", i), number: i, key: key}
	prepared, err := issuer.Prepare(profile, ca.Request{Name: h.name, Host: h.name, Public: key.Public()})
	if err != nil {
		return nil, err
	}
	issued, err := prepared.Issue(ctx)
	if err != nil {
		return nil, err
	}
	h.has(issued.Certificate)
	return h, nil
}

// pin is what hosts know the CA by.
func pin(root *x509.Certificate) [sha256.Size]byte {
	return sha256.Sum256(root.RawSubjectPublicKeyInfo)
}

// has notes the certificate that a host has now.
func (h *host) has(leaf *x509.Certificate) {
	h.leaf = leaf.Raw
	h.ends.Store(leaf.NotAfter.UnixNano())
	h.got = append(h.got, hex.EncodeToString(leaf.SerialNumber.Bytes()))
}
