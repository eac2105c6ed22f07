package ca

import (
	"bytes"
	"context"
	"crypto"
	"crypto/mldsa"
	"crypto/x509"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kedge/internal/pkcs8"
)

// book is a Recorder that keeps everything, or fails.
type book struct {
	mu     sync.Mutex
	issued []Issued
	err    error
}

func (b *book) RecordIssued(_ context.Context, i Issued) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.issued = append(b.issued, i)
	}
	return b.err
}

// counting counts the signatures.
type counting struct {
	crypto.Signer
	n atomic.Int32
}

func (c *counting) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	c.n.Add(1)
	return c.Signer.Sign(random, digest, opts)
}

func TestIssue(t *testing.T) {
	t.Parallel()
	key := &counting{Signer: newKey(t)}
	root := rootFor(t, key, time.Hour)
	key.n.Store(0)
	prepared, err := root.PrepareLeaf(DefaultProfile(), Request{Name: "web-01", Public: newKey(t).Public(), Host: "h1", Why: "new"}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if key.n.Load() != 0 {
		t.Error("preparing signs")
	}
	var b book
	cert, err := prepared.Issue(t.Context(), &b)
	if err != nil || key.n.Load() != 1 {
		t.Fatalf("%v, %d signatures", err, key.n.Load())
	}
	if preview := prepared.Certificate(); !bytes.Equal(preview.RawTBSCertificate, cert.RawTBSCertificate) || len(bytes.Trim(preview.Signature, "\x00")) != 0 {
		t.Error("what was issued is not what was prepared")
	}
	if len(b.issued) != 1 {
		t.Fatalf("recorded: %+v", b.issued)
	}
	if i := b.issued[0]; i.Certificate != cert || i.Profile != "workload" || i.Host != "h1" || i.Why != "new" || i.Replaces != nil || !i.At.Equal(noon) {
		t.Errorf("recorded: %+v", i)
	}
	if _, err := prepared.Issue(t.Context(), &b); !errors.Is(err, ErrSpent) || len(b.issued) != 1 {
		t.Errorf("again: %v, %d records", err, len(b.issued))
	}
}

// TestIssue_once: of many calls at once, one gets the certificate.
func TestIssue_once(t *testing.T) {
	t.Parallel()
	root, key := newRoot(t, time.Hour), newKey(t)
	prepared, err := root.PrepareLeaf(DefaultProfile(), Request{Name: "web-01", Public: key.Public()}, noon)
	if err != nil {
		t.Fatal(err)
	}
	var b book
	var issued, spent atomic.Int32
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			switch _, err := prepared.Issue(t.Context(), &b); {
			case err == nil:
				issued.Add(1)
			case errors.Is(err, ErrSpent):
				spent.Add(1)
			}
		})
	}
	group.Wait()
	if issued.Load() != 1 || spent.Load() != 15 || len(b.issued) != 1 {
		t.Errorf("%d issued, %d spent, %d recorded", issued.Load(), spent.Load(), len(b.issued))
	}
}

// TestIssue_concurrently: one authority serves many at a time, and no serial comes twice.
func TestIssue_concurrently(t *testing.T) {
	t.Parallel()
	root, key, p := newRoot(t, time.Hour), newKey(t), DefaultProfile()
	var b book
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 25 {
				prepared, err := root.PrepareLeaf(p, Request{Name: "web-01", Public: key.Public()}, noon)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := prepared.Issue(t.Context(), &b); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	serials := map[string]bool{}
	for _, i := range b.issued {
		serials[i.Certificate.SerialNumber.String()] = true
		if der := i.Certificate.SerialNumber.BitLen()/8 + 1; i.Certificate.SerialNumber.Sign() <= 0 || der > 20 {
			t.Errorf("serial %v", i.Certificate.SerialNumber)
		}
	}
	if len(serials) != 200 {
		t.Errorf("%d serials of 200 certificates", len(serials))
	}
}

// faulty is a key store that returns a wrong signature, or an error.
type faulty struct {
	crypto.Signer
	other crypto.Signer
}

func (f faulty) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if f.other == nil {
		return nil, errors.New("the token is gone")
	}
	return f.other.Sign(random, digest, opts)
}

// TestIssue_fails: without a good signature and a record, there is no certificate.
func TestIssue_fails(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	cert := rootFor(t, key, time.Hour).Certificate()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		ctx  context.Context
		key  crypto.Signer
		to   Recorder
		want string
	}{
		{t.Context(), key, nil, "a certificate is issued only with a recorder"},
		{cancelled, key, &book{}, "context canceled"},
		{t.Context(), faulty{Signer: key}, &book{}, `sign the certificate "CN=web-01": the token is gone`},
		{t.Context(), faulty{key, newKey(t)}, &book{}, `sign the certificate "CN=web-01": the signature does not verify: the key is another's, or its key store is faulty`},
		{t.Context(), key, &book{err: errors.New("disk full")}, `cannot record the certificate "CN=web-01": disk full`},
	}
	for _, tt := range tests {
		root, err := New(cert, tt.key)
		if err != nil {
			t.Fatal(err)
		}
		prepared, err := root.PrepareLeaf(DefaultProfile(), Request{Name: "web-01", Public: newKey(t).Public()}, noon)
		if err != nil {
			t.Fatal(err)
		}
		var got *x509.Certificate
		if got, err = prepared.Issue(tt.ctx, tt.to); got != nil || err == nil || err.Error() != tt.want {
			t.Errorf("got  %v, %v\nwant %s", got, err, tt.want)
		}
		if b, ok := tt.to.(*book); ok && len(b.issued) != 0 {
			t.Errorf("%s: recorded %+v", tt.want, b.issued)
		}
		_, err = prepared.Issue(t.Context(), &book{})
		if signed := strings.HasPrefix(tt.want, "sign") || strings.HasPrefix(tt.want, "cannot record"); signed != errors.Is(err, ErrSpent) {
			t.Errorf("again, after %s: %v", tt.want, err)
		}
	}
}

// TestIssue_expandedMLDSA: a key without a seed, which crypto/mldsa does not take, signs too.
func TestIssue_expandedMLDSA(t *testing.T) {
	t.Parallel()
	for _, params := range []mldsa.Parameters{mldsa.MLDSA44(), mldsa.MLDSA65(), mldsa.MLDSA87()} {
		seeded, err := mldsa.NewPrivateKey(params, make([]byte, 32))
		if err != nil {
			t.Fatal(err)
		}
		der, err := pkcs8.MarshalMLDSA(seeded, pkcs8.FormExpanded)
		if err != nil {
			t.Fatal(err)
		}
		key, err := pkcs8.ParseMLDSA(der)
		if err != nil {
			t.Fatal(err)
		}
		root := rootFor(t, key, time.Hour)
		verifyPath(t, root, leafOf(t, root, DefaultProfile(), Request{Name: "web-01", Public: newKey(t).Public()}))
	}
}
