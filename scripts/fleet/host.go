package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient"
	"kedge/scripts/bench/rawclient"
	"kedge/signer"
)

// host is a simulated one: its key, its certificate, and when it asks next.
type host struct {
	name   string
	number int // it has an address of its own by it
	key    *ecdsa.PrivateKey
	leaf   []byte
	got    []string // serial numbers of all its certificates

	unanswered int // how often it asked and had neither a certificate nor a refusal

	next     *ecdsa.PrivateKey // of the request whose answer has not come yet
	ready    []byte            // the first request, made before: the work of hosts takes nothing from servers
	schedule enrollclient.Schedule
	skew     time.Duration // of its clock
	copy     bool          // it has what another host of its name has, or another has what it has

	due, ends atomic.Int64 // when it is to renew, by the clock of all hosts, and when its certificate ends, in Unix nanoseconds
	gone      atomic.Bool  // it asks no more
}

// request returns the message that renews the certificate, signed at a time. As kedge does, the host
// keeps the next key until it has an answer.
func (h *host) request(audience [32]byte, at time.Time) ([]byte, error) {
	leaf, err := x509.ParseCertificate(h.leaf)
	if err != nil {
		return nil, err
	}
	if h.next == nil {
		if h.next, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return nil, err
		}
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{RawSubject: leaf.RawSubject}, h.next)
	if err != nil {
		return nil, err
	}
	proof, err := enrollapi.Prove(signer.Possession{Path: enrollapi.PathRenew, Audience: audience, Leaf: leaf, Body: csr, At: at}, h.key)
	if err != nil {
		return nil, err
	}
	return json.Marshal(enrollapi.RenewRequest{Proof: proof, Request: csr, KeyPlace: enrollapi.InFile, Version: "fleet"})
}

// message returns the request that was made before, once, or makes one.
func (h *host) message(audience [32]byte, at time.Time) ([]byte, error) {
	if ready := h.ready; ready != nil {
		h.ready = nil
		return ready, nil
	}
	return h.request(audience, at)
}

// reply is what came of a request.
type reply struct {
	answer *enrollapi.Answer // nil: see err
	date   time.Time         // by the server's clock
	err    error             // an *enrollapi.Error: the server has refused
}

// ask sends the request of a host. One whose clock is wrong signs once more, by the server's.
func (h *host) ask(c *rawclient.Conn, audience [32]byte) reply {
	at := time.Now().Add(h.skew)
	for first := true; ; first = false {
		message, err := h.message(audience, at)
		if err != nil {
			return reply{err: err}
		}
		answer, err := c.Post(enrollapi.PathRenew, message)
		if err != nil {
			return reply{err: err}
		}
		c.Close() // as kedge, which asks once in hours
		r := read(answer)
		refusal, ok := errors.AsType[*enrollapi.Error](r.err)
		if !first || !ok || refusal.Code != enrollapi.Clock || refusal.Date.IsZero() {
			return r
		}
		at = refusal.Date
	}
}

// read reads an answer.
func read(a *rawclient.Answer) (r reply) {
	r.date, _ = http.ParseTime(a.Header.Get("Date")) // zero if there is none
	if a.Status == http.StatusOK {
		r.answer = &enrollapi.Answer{}
		r.err = json.Unmarshal(a.Body, r.answer)
		return r
	}
	refusal := &enrollapi.Error{}
	if err := json.Unmarshal(a.Body, refusal); err != nil {
		return reply{err: err}
	}
	refusal.Date = r.date
	if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err == nil {
		refusal.RetryAfter = max(refusal.RetryAfter, seconds)
	}
	r.err = refusal
	return r
}

// take uses a new certificate, whose key must be the one of the request.
func (h *host) take(r reply, now time.Time, scale int64) error {
	leaf, err := x509.ParseCertificate(r.answer.Certificate)
	if err != nil {
		return err
	}
	if public, ok := leaf.PublicKey.(*ecdsa.PublicKey); !ok || !public.Equal(h.next.Public()) || leaf.Subject.CommonName != h.name {
		return errors.New(h.name + " got a certificate that is not its own")
	}
	h.has(leaf)
	h.key, h.next = h.next, nil
	h.schedule.Renewed(leaf, r.answer.Renew, now, r.date)
	h.schedule.Record.Renew.After *= scale
	return nil
}
