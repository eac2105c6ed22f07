package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"
)

// The shares of hosts of which something is wrong, in percent.
const (
	copiedShare = 2
	skewedShare = 5
)

// maxSkew is by how much the clock of a host is wrong at most: more than servers allow.
const maxSkew = 40 * time.Minute

// programs are those that a rehearsal runs.
type programs struct{ ca, floor string }

// rehearsal is a CA with its servers and hosts.
type rehearsal struct {
	programs
	ledger  string // DSN; empty: a file
	dir     string // of the CA
	servers []*server
	hosts   []*host
	root    *x509.Certificate
}

// prepare makes the CA, n hosts with their first certificates, and the servers, which are not started.
func prepare(ctx context.Context, p past, with programs, n, servers int) (*rehearsal, error) {
	r := &rehearsal{programs: with, ledger: p.ledger, dir: p.dir}
	var err error
	if r.root, err = p.make(ctx); err != nil {
		return nil, err
	}
	if r.hosts, err = p.hosts(ctx, n); err != nil {
		return nil, err
	}
	for i := range r.hosts {
		if i%100 < skewedShare {
			r.hosts[i].skew = rand.N(2*maxSkew) - maxSkew
		}
		if i%100 >= 100-copiedShare {
			r.hosts = append(r.hosts, r.hosts[i].copied(len(r.hosts)))
		}
	}
	for range servers {
		s := &server{before: map[string]int{}}
		s.Program, s.Dir = with.ca, r.dir
		r.servers = append(r.servers, s)
	}
	return r, nil
}

// copied returns a copy of a host, with another address.
func (h *host) copied(number int) *host {
	h.copy = true
	c := &host{name: h.name, number: number, key: h.key, leaf: h.leaf, copy: true}
	c.got = append(c.got, h.got...)
	c.ends.Store(h.ends.Load())
	return c
}

// serve starts the servers, and watches them until stop is called.
func (r *rehearsal) serve(ctx context.Context) (stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	stop = func() {
		cancel()
		for _, s := range r.servers {
			s.down()
		}
	}
	for _, s := range r.servers {
		if err := s.up(); err != nil {
			stop()
			return nil, err
		}
		go s.watch(ctx)
	}
	return stop, nil
}

// crowd returns the hosts as those that ask the servers, which were started.
func (r *rehearsal) crowd(c clock) *crowd {
	roots := x509.NewCertPool()
	roots.AddCert(r.root)
	all := &crowd{clock: c, audience: pin(r.root), changed: make(chan struct{}, 1), starting: newStarting(),
		tls: &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}}
	for _, s := range r.servers {
		all.servers = append(all.servers, s.Address)
	}
	return all
}

// memory lists the most memory that each server had.
func (r *rehearsal) memory() (text string, most float64) {
	for i, s := range r.servers {
		if i > 0 {
			text += ", "
		}
		s.mu.Lock()
		text += fmt.Sprintf("%.0f MiB", s.peak)
		most = max(most, s.peak)
		s.mu.Unlock()
	}
	return text, most
}

// engine is the kind of the ledger.
func (r *rehearsal) engine() string {
	if r.ledger != "" {
		return "PostgreSQL"
	}
	return "SQLite"
}

func (r *rehearsal) floorDatabase() string {
	if r.ledger != "" {
		return r.ledger
	}
	return filepath.Join(filepath.Dir(r.dir), filepath.Base(r.dir)+"-floor.db")
}
