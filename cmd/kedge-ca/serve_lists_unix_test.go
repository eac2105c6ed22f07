//go:build unix

package main

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"kedge/internal/cli"
	"kedge/internal/testenv"
)

// listPair is two servers of one CA, each with its own folder, and what they were seen to publish.
type listPair struct {
	t       *testing.T
	dirs    [2]string
	servers [2]*serving
	number  int64            // of the newest list that was fetched
	lists   map[int64][]byte // by number
}

// newListPair makes a CA whose ledger is in PostgreSQL, and copies its folder for the second server.
func newListPair(t *testing.T) *listPair {
	t.Helper()
	p := &listPair{t: t, dirs: [2]string{t.TempDir(), t.TempDir()}, lists: map[int64][]byte{}}
	if err := os.Mkdir(filepath.Join(p.dirs[0], "ca"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeSettings(t, p.dirs[0], fmt.Sprintf("ledger: '%s'\n%s", testenv.Postgres(t), serverURL))
	kedgeCA(t, p.dirs[0], "init", "--no-password")
	if err := os.CopyFS(filepath.Join(p.dirs[1], "ca"), os.DirFS(filepath.Join(p.dirs[0], "ca"))); err != nil {
		t.Fatal(err)
	}
	// CopyFS does not keep the mode, and a key that others can read is refused.
	if err := os.Chmod(filepath.Join(p.dirs[1], "ca", "ca.key"), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// start starts both servers at the same time.
func (p *listPair) start() {
	for i, dir := range p.dirs {
		p.servers[i] = launch(p.t, dir)
	}
	for _, s := range p.servers {
		s.ready()
	}
}

func (p *listPair) stop() {
	for _, s := range p.servers {
		if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			p.t.Fatal(err)
		}
	}
	for _, s := range p.servers {
		for range s.log { // until it ends: Wait closes the pipe
		}
		if err := s.cmd.Wait(); err != nil {
			p.t.Error(err)
		}
	}
}

// get fetches what a server publishes; nil if that is not published yet.
func (p *listPair) get(s *serving, path string) []byte {
	p.t.Helper()
	response, err := http.Get("http://" + s.plain + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	if response.StatusCode == http.StatusNotFound {
		return nil
	}
	if response.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: %s: %s", path, response.Status, data)
	}
	return data
}

// list fetches the list from one server. It must be the newest that either server has shown, with
// the same bytes, or a newer one.
func (p *listPair) list(s *serving) *x509.RevocationList {
	p.t.Helper()
	der := p.get(s, "/crl/ca.crl")
	if der == nil {
		if p.number != 0 {
			p.t.Fatalf("list %d is gone", p.number)
		}
		return &x509.RevocationList{}
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		p.t.Fatal(err)
	}
	number := list.Number.Int64()
	if number < p.number {
		p.t.Fatalf("list %d after list %d", number, p.number)
	}
	if before, ok := p.lists[number]; ok && !bytes.Equal(before, der) {
		p.t.Fatalf("two lists have number %d", number)
	}
	p.number, p.lists[number] = number, der
	return list
}

func isListed(list *x509.RevocationList, serial *big.Int) bool {
	return slices.ContainsFunc(list.RevokedCertificateEntries, func(e x509.RevocationListEntry) bool { return e.SerialNumber.Cmp(serial) == 0 })
}

// awaitListed fetches from one server and the other until both have a certificate on the list.
func (p *listPair) awaitListed(serial *big.Int) {
	p.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		one, other := p.list(p.servers[0]), p.list(p.servers[1])
		if isListed(one, serial) && isListed(other, serial) {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("after a minute, %v is not on list %d", serial, p.number)
		}
	}
}

// compare fetches from both servers at the same time, again and again.
func (p *listPair) compare() {
	p.t.Helper()
	for _, path := range []string{"/crl/ca.crl", "/ca/ca.cer"} {
		var fetched [2][20][]byte
		var group sync.WaitGroup
		for i, s := range p.servers {
			group.Go(func() {
				for j := range fetched[i] {
					fetched[i][j] = p.get(s, path)
				}
			})
		}
		group.Wait()
		for _, data := range slices.Concat(fetched[0][:], fetched[1][:]) {
			if len(data) == 0 || !bytes.Equal(data, fetched[0][0]) {
				p.t.Fatalf("%s differs between servers, or between two moments", path)
			}
		}
	}
}

// issueHost issues a certificate in the first server's folder.
func (p *listPair) issueHost(name string) *big.Int {
	p.t.Helper()
	kedgeCA(p.t, p.dirs[0], "issue", name)
	data, err := os.ReadFile(filepath.Join(p.dirs[0], name+".pem"))
	if err != nil {
		p.t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		p.t.Fatalf("no certificate: %q", data)
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		p.t.Fatal(err)
	}
	return leaf.SerialNumber
}

// recorded returns how many entries the ledger has for each list number.
func (p *listPair) recorded() map[int64]int {
	p.t.Helper()
	s, err := readStore(p.t.Context(), newHost(cli.Streams{Err: io.Discard}), &storeFlags{dir: filepath.Join(p.dirs[0], "ca")})
	if err != nil {
		p.t.Fatal(err)
	}
	defer s.close(&err)
	made := map[int64]int{}
	for e, err := range s.Ledger.Entries(p.t.Context(), 0) {
		if err != nil {
			p.t.Fatal(err)
		}
		if e.Kind != "crl" {
			continue
		}
		var body struct{ Number int64 }
		if err := json.Unmarshal([]byte(e.Body), &body); err != nil {
			p.t.Fatal(err)
		}
		made[body.Number]++
	}
	return made
}

// TestServe_listsOfTwo: two servers that share a ledger in PostgreSQL find at the same time that a
// list is due, in each round. One list is made. Both publish the same bytes, the number never
// decreases, the certificate that was revoked is on the list, and openssl verifies it.
func TestServe_listsOfTwo(t *testing.T) {
	t.Parallel()
	testenv.Tool(t, "openssl")
	p := newListPair(t)
	const rounds = 4
	for i := range rounds {
		name := fmt.Sprintf("web-%02d", i)
		serial := p.issueHost(name)
		kedgeCA(t, p.dirs[0], "revoke", name)
		p.start()
		p.awaitListed(serial)
		p.compare()
		p.stop()
	}
	made := p.recorded()
	for number := range p.lists {
		if made[number] != 1 {
			t.Errorf("list %d was made %d times", number, made[number])
		}
	}
	if len(made) != rounds || p.number != rounds {
		t.Errorf("lists made, by number: %v; the newest that was published is %d; want one a round", made, p.number)
	}
	list := filepath.Join(p.dirs[1], "fetched.crl")
	if err := os.WriteFile(list, p.lists[p.number], 0o600); err != nil {
		t.Fatal(err)
	}
	testenv.Run(t, p.dirs[1], "openssl", "crl", "-inform", "DER", "-in", list, "-noout", "-verify", "-CAfile", "ca/ca.pem")
	kedgeCA(t, p.dirs[0], "ledger", "verify")
}
