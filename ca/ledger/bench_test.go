package ledger

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/testenv"
)

// mint makes leaves that differ in serial, name and validity, faster than they can be signed:
// their signatures are wrong, which the ledger does not mind.
type mint struct {
	cert, issuer      *x509.Certificate
	serial, name, end int // offsets in the DER
}

func newMint(tb testing.TB, issuer *authority) *mint {
	tb.Helper()
	m := &mint{issuer: issuer.cert, cert: issuer.leaf("host-0000000.example.com", func(c *x509.Certificate) {
		c.SerialNumber = new(big.Int).SetBytes([]byte("\x7f serial numbr 0"))
		c.DNSNames = []string{"host-0000000.example.com"}
	})}
	m.serial = bytes.Index(m.cert.Raw, []byte("\x7f serial numbr 0"))
	m.name = bytes.Index(m.cert.Raw, []byte("host-0000000"))
	m.end = bytes.Index(m.cert.Raw, []byte(m.cert.NotAfter.Format("060102150405Z")))
	return m
}

// leaf makes number i: a day of life, and one issued every 10 seconds.
func (m *mint) leaf(i int) ca.Issued {
	at := noon.Add(time.Duration(i) * 10 * time.Second)
	c := *m.cert
	c.Raw = bytes.Clone(m.cert.Raw)
	name := fmt.Sprintf("host-%07d", i)
	copy(c.Raw[m.name:], name)
	san := m.name + 12 + bytes.Index(c.Raw[m.name+12:], []byte("host-0000000"))
	copy(c.Raw[san:], name)
	c.NotAfter = at.Add(24 * time.Hour)
	copy(c.Raw[m.end:], c.NotAfter.Format("060102150405Z"))
	mixed := uint64(i+1) * 0x9E3779B97F4A7C15 // serials are random
	binary.BigEndian.PutUint64(c.Raw[m.serial+8:], mixed)
	binary.BigEndian.PutUint64(c.Raw[m.serial:], mixed>>8&^(1<<63)|1<<62)
	c.SerialNumber = new(big.Int).SetBytes(c.Raw[m.serial : m.serial+16])
	c.Subject.CommonName = name + ".example.com"
	c.DNSNames = []string{name + ".example.com"}
	return ca.Issued{Certificate: &c, Issuer: m.issuer, Profile: "workload", Host: fmt.Sprintf("host-%07d", i%10_000), Why: "bench", At: at}
}

// record writes leaves from several goroutines, as a server does.
func (m *mint) record(tb testing.TB, l *Ledger, workers, from, to int) {
	tb.Helper()
	var group sync.WaitGroup
	next := atomic.Int64{}
	next.Store(int64(from))
	for range workers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < to; i = int(next.Add(1)) - 1 {
				if err := l.RecordIssued(context.Background(), m.leaf(i)); err != nil {
					tb.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkRecordIssued(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		for _, workers := range []int{1, 32} {
			b.Run(fmt.Sprintf("%s/%d", engine, workers), func(b *testing.B) {
				where := filepath.Join(b.TempDir(), "ledger.db")
				if engine == "postgres" {
					where = testenv.Postgres(b)
				}
				l := create(b, where)
				m := newMint(b, newAuthority(b, "Bench CA", nil))
				b.ReportAllocs()
				b.ResetTimer()
				m.record(b, l, workers, 0, b.N)
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "certs/s")
			})
		}
	}
}

// million is a ledger of a million certificates, of which 6,000 are revoked and unexpired.
type million struct {
	*mint
	path string
	root *x509.Certificate
	now  time.Time // the last 6,000 and those of a day before are valid
}

const millionSize = 1_000_000

func newMillion(b *testing.B) *million {
	b.Helper()
	root := newAuthority(b, "Bench CA", nil)
	m := &million{mint: newMint(b, root), path: filepath.Join(b.TempDir(), "ledger.db"), root: root.cert, now: noon.Add((millionSize - 6000) * 10 * time.Second)}
	l := create(b, m.path)
	register(b, l, root)
	m.record(b, l, 256, 0, millionSize)
	var revoked [][]byte
	for i := millionSize - 6000; i < millionSize; i++ {
		revoked = append(revoked, fingerprint(m.leaf(i).Certificate))
	}
	if err := l.Revoke(b.Context(), revoked, Revocation{Reason: ca.KeyCompromise, At: m.now}); err != nil {
		b.Fatal(err)
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	return m
}

// filters are one or two for each way to look for certificates.
func (m *million) filters() map[string]Filter {
	some := m.leaf(millionSize / 2).Certificate
	return map[string]Filter{
		"none": {}, "kind": {Kind: Root}, "valid": {State: Valid}, "expired": {State: Expired}, "revoked": {State: Revoked}, "held": {State: Held}, "pending": {State: Pending},
		"serial": {Serial: some.SerialNumber.Text(16)}, "fingerprint": {Fingerprint: hex.EncodeToString(fingerprint(some))}, "cn": {CommonName: some.Subject.CommonName},
		"subject": {Subject: some.Subject.String()}, "subject-prefix": {Subject: "CN=host-05*"}, "cn-prefix": {CommonName: "host-05*"}, "cn-suffix": {CommonName: "*.example.com"}, "cn-nothing": {CommonName: "*nothing*"},
		"host": {Host: "host-0005000"}, "host-prefix": {Host: "host-0005*"}, "san": {SAN: some.DNSNames[0]}, "san-suffix": {SAN: "*.example.com"}, "san-nothing": {SAN: "*nothing*"},
		"issuer": {Issuer: "CN=Bench CA"}, "expiring": {ExpiresBefore: m.now.Add(time.Hour), ExpiresAfter: m.now}, "expiring-unreplaced": {ExpiresBefore: m.now.Add(time.Hour), ExpiresAfter: m.now, Unreplaced: true},
		"unreplaced": {Unreplaced: true}, "issued-after": {IssuedAfter: m.now},
	}
}

// BenchmarkMillion looks into the ledger, each time opened anew.
func BenchmarkMillion(b *testing.B) {
	m := newMillion(b)
	for name, f := range m.filters() {
		f.Limit = 100
		m.run(b, "list/"+name, func(b *testing.B, l *Ledger) { found(b, l, f) })
		m.run(b, "count/"+name, func(b *testing.B, l *Ledger) {
			if _, err := l.Count(b.Context(), f); err != nil {
				b.Fatal(err)
			}
		})
	}
	m.run(b, "crl", func(b *testing.B, l *Ledger) {
		if all, err := l.Revoked(b.Context(), m.root, m.now); len(all) != 6000 || err != nil {
			b.Fatal(len(all), err)
		}
	})
	m.run(b, "hosts", func(b *testing.B, l *Ledger) {
		for _, err := range l.Hosts(b.Context(), m.now) {
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	more := millionSize
	m.run(b, "insert-2000", func(b *testing.B, l *Ledger) {
		m.record(b, l, 32, more, more+2000)
		more += 2000
	})
	m.run(b, "all", func(b *testing.B, l *Ledger) {
		for _, err := range l.List(b.Context(), Filter{}) {
			if err != nil {
				b.Fatal(err)
			}
		}
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		b.ReportMetric(float64(stats.Sys)/1e6, "MB")
	})
	m.run(b, "verify", func(b *testing.B, l *Ledger) {
		if r, err := l.Verify(b.Context(), VerifyOptions{}); err != nil || !r.OK() {
			b.Fatal(r, err)
		}
	})
}

func (m *million) run(b *testing.B, name string, f func(*testing.B, *Ledger)) {
	b.Run(name, func(b *testing.B) {
		opened(b, m.path, m.now, func(l *Ledger) { f(b, l) })
	})
}

// opened runs f with the ledger b.N times.
func opened(b *testing.B, path string, now time.Time, f func(*Ledger)) {
	b.Helper()
	for range b.N {
		l, err := Open(b.Context(), path, Options{Now: func() time.Time { return now }})
		if err != nil {
			b.Fatal(err)
		}
		f(l)
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
