package ledger

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/ca"
)

func TestRecordIssued(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "Test CA", nil)
		register(t, l, root)
		old := root.leaf("web-01", func(c *x509.Certificate) { c.Subject.Organization = []string{"Büro, Zürich"} })
		add(t, l, ca.Issued{Certificate: old, Host: "rack-7"})
		uri, _ := url.Parse("spiffe://example.org/Web")
		cert := root.leaf("web-01", func(c *x509.Certificate) {
			c.SerialNumber = big.NewInt(0xABC)
			c.Subject.Organization = []string{"Büro, Zürich"}
			c.DNSNames, c.EmailAddresses = []string{"Web.example.com", "web"}, []string{"a@b.example"}
			c.URIs, c.IPAddresses = []*url.URL{uri}, []net.IP{net.ParseIP("2001:db8::1")}
		})
		at := noon.Add(time.Minute + 5*time.Microsecond)
		add(t, l, ca.Issued{Certificate: cert, Profile: "workload", Why: "ticket <7> & \"more\"", Replaces: fingerprint(old), At: at})

		got, err := l.Certificate(t.Context(), fingerprint(cert))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := got.X509()
		if err != nil || !parsed.Equal(cert) {
			t.Errorf("the certificate read is another: %v", err)
		}
		sans, err := got.SANs()
		if err != nil || fmt.Sprint(sans) != "{[Web.example.com web] [spiffe://example.org/Web] [2001:db8::1] [a@b.example]}" {
			t.Errorf("SANs %v, %v", sans, err)
		}
		line := fmt.Sprint(got.Seq, got.IssuedAt, got.Serial, got.Subject, got.CommonName, got.Issuer, got.IssuerKeyID == fmt.Sprintf("%x", root.cert.SubjectKeyId),
			got.Kind, got.NotBefore, got.NotAfter, got.Host, got.Profile, got.Why, bytes.Equal(got.Replaces, fingerprint(old)), got.ReplacedBy, got.RevokedAt, got.State(noon))
		want := fmt.Sprint(int64(4), at, "0abc", `CN=web-01,O=Büro\, Zürich`, "web-01", "CN=Test CA", true, "leaf", cert.NotBefore, cert.NotAfter,
			"web-01", "workload", "ticket <7> & \"more\"", true, int64(0), (*time.Time)(nil), "valid")
		if line != want {
			t.Errorf("got  %s\nwant %s", line, want)
		}
		replaced, err := l.Certificate(t.Context(), fingerprint(old))
		if err != nil || replaced.ReplacedBy != 4 || replaced.Host != "rack-7" || replaced.Replaces != nil {
			t.Errorf("replaced: %+v, %v", replaced, err)
		}
		if c, err := l.Certificate(t.Context(), fingerprint(root.cert)); err != nil || c.Kind != Root || c.Host != "" || c.IssuerKeyID != got.IssuerKeyID {
			t.Errorf("root: %+v, %v", c, err)
		}
	})
}

func TestRecordIssued_duplicates(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root, other := newAuthority(t, "Test CA", nil), newAuthority(t, "Other CA", nil)
		serial := func(n int64) func(*x509.Certificate) {
			return func(c *x509.Certificate) { c.SerialNumber = big.NewInt(n) }
		}
		cert := root.leaf("a", serial(7))
		add(t, l, ca.Issued{Certificate: cert})
		add(t, l, ca.Issued{Certificate: other.leaf("a", serial(7))}) // another issuer's
		for _, tt := range []struct {
			cert *x509.Certificate
			want string
		}{
			{root.leaf("b", serial(7)), `the serial number 07 of the issuer "CN=Test CA" is in the ledger already`},
			{cert, fmt.Sprintf(`the certificate "CN=a" (SHA-256 %x) is in the ledger already`, fingerprint(cert))},
		} {
			err := l.RecordIssued(t.Context(), ca.Issued{Certificate: tt.cert, Issuer: root.cert, At: noon})
			if _, ok := errors.AsType[*DuplicateError](err); !ok || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		}
		if seq, _, err := l.Head(t.Context()); seq != 6 || err != nil {
			t.Errorf("the chain has %d entries, %v", seq, err)
		}
	})
}

// Of those that share a transaction, the bad ones fail alone.
func TestRecordIssued_concurrent(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "Test CA", nil)
		register(t, l, root)
		const each, n = 3, 40
		var group sync.WaitGroup
		var mu sync.Mutex
		duplicates := 0
		for i := range n {
			cert := root.leaf(fmt.Sprintf("web-%02d", i), func(c *x509.Certificate) { c.SerialNumber = big.NewInt(int64(i) + 1) })
			for range each {
				group.Go(func() {
					err := l.RecordIssued(t.Context(), ca.Issued{Certificate: cert, Issuer: root.cert, At: noon})
					if _, ok := errors.AsType[*DuplicateError](err); ok {
						mu.Lock()
						duplicates++
						mu.Unlock()
					} else if err != nil {
						t.Error(err)
					}
				})
			}
		}
		group.Wait()
		if got, err := l.Count(t.Context(), Filter{Kind: Leaf}); got != n || duplicates != n*(each-1) || err != nil {
			t.Errorf("%d certificates and %d duplicates, %v", got, duplicates, err)
		}
		var prev []byte
		seq := int64(0)
		for e, err := range l.Entries(t.Context(), 0) {
			if seq++; err != nil || e.Seq != seq || prev != nil && !bytes.Equal(e.Prev, prev) || !bytes.Equal(e.Hash, e.sum()) {
				t.Fatalf("entry %d: %+v, %v", seq, e, err)
			}
			prev = e.Hash
		}
		if head, hash, err := l.Head(t.Context()); head != n+2 || seq != n+2 || !bytes.Equal(hash, prev) || err != nil {
			t.Errorf("head %d, %d entries, %v", head, seq, err)
		}
	})
}

func TestRecordIssued_refuses(t *testing.T) {
	l := create(t, t.TempDir()+"/ledger.db")
	cert := newAuthority(t, "Test CA", nil).leaf("a")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		ctx  context.Context
		i    ca.Issued
		want string
	}{
		{t.Context(), ca.Issued{At: noon}, "record a certificate: there is none"},
		{t.Context(), ca.Issued{Certificate: cert}, "record a certificate: the time is missing"},
		{t.Context(), ca.Issued{Certificate: cert, At: noon, Replaces: []byte("x")}, "the fingerprint of what it replaces has 1 bytes, not 32"},
		{t.Context(), ca.Issued{Certificate: cert, At: noon, Why: "a\x00b"}, `record the certificate "CN=a": the reason "a\x00b" is not text`},
		{t.Context(), ca.Issued{Certificate: cert, At: noon, Host: "\xff"}, `the host "\xff" is not text`},
		{canceled, ca.Issued{Certificate: cert, At: noon}, "context canceled"},
	} {
		if err := l.RecordIssued(tt.ctx, tt.i); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.RecordIssued(t.Context(), ca.Issued{Certificate: cert, At: noon}); err != ErrClosed {
		t.Errorf("after Close: %v", err)
	}
}

// Certificates of one transaction: with names and without, that replace and do not, also one
// another, and one that is there already.
func TestRecordIssued_together(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root := newAuthority(t, "Test CA", nil)
		old, next := root.leaf("a"), root.leaf("a", func(c *x509.Certificate) { c.DNSNames = []string{"a.example", "b.example"} })
		var jobs []*job
		register(t, l, root)
		for _, i := range []ca.Issued{{Certificate: root.leaf("c")}, {Certificate: old}, {Certificate: next, Replaces: fingerprint(old), Why: "due"}, {Certificate: root.leaf("b"), Host: "h"}, {Certificate: old}} {
			i.At, i.Issuer = noon, root.cert
			r, err := newRecord(i)
			if err != nil {
				t.Fatal(err)
			}
			jobs = append(jobs, &job{record: r, done: make(chan error, 1)})
		}
		l.writer.write(&batch{jobs: jobs})
		for i, j := range jobs {
			err := <-j.done
			if _, ok := errors.AsType[*DuplicateError](err); ok != (i == 4) || !ok && err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
		replaced, err := l.Certificate(t.Context(), fingerprint(old))
		if r := verify(t, l, ""); err != nil || !r.OK() || r.Certificates != 5 || replaced.ReplacedBy == 0 {
			t.Errorf("%+v, replaced by %d, %v", r, replaced.ReplacedBy, err)
		}
	})
}
