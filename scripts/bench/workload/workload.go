// Package workload is what kedge and its floors are given alike: certificate requests, and
// workers that take one after the other.
package workload

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Workers is how many certificates are issued concurrently.
const Workers = 32

// Requests returns n PKCS#10 requests in DER, each with a P-256 key and a unique name. Two runs
// have no name in common.
func Requests(n int) ([][]byte, error) {
	requests := make([][]byte, n)
	run := time.Now().UnixNano()
	_, err := Run(n, func(i int) error {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		name := pkix.Name{CommonName: fmt.Sprintf("host-%x-%05d.example.com", run, i)}
		requests[i], err = x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: name}, key)
		return err
	})
	return requests, err
}

// Run calls do with 0 to n-1 from Workers goroutines, and returns how many calls ended in a
// second. After an error no further call begins.
func Run(n int, do func(i int) error) (perSecond float64, err error) { return RunWith(Workers, n, do) }

// RunWith is Run with another number of goroutines.
func RunWith(goroutines, n int, do func(i int) error) (perSecond float64, err error) {
	var next, failed atomic.Int64
	var first error
	var once sync.Once
	var workers sync.WaitGroup
	start := time.Now()
	for range goroutines {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(n) && failed.Load() == 0; i = next.Add(1) - 1 {
				if err := do(int(i)); err != nil {
					failed.Store(1)
					once.Do(func() { first = err })
				}
			}
		})
	}
	workers.Wait()
	return float64(n) / time.Since(start).Seconds(), first
}
