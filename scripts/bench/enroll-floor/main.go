// Command enroll-floor is the floor for the enrollment server: the least HTTPS server that reads a
// message in JSON, verifies the certificate request in it, signs, inserts one durable row and answers
// with the certificate. It checks nothing else and logs nothing. It prints its address, and runs until
// it is killed.
//
// usage: enroll-floor DATABASE     a file for SQLite, or an address of PostgreSQL
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"kedge/scripts/bench/workload"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "enroll-floor:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("give DATABASE")
	}
	f := &floor{}
	var err error
	if f.root, err = workload.NewRoot(); err != nil {
		return err
	}
	if err := f.open(args[0]); err != nil {
		return err
	}
	defer f.db.Close()
	cert, err := serverCertificate()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	server := &http.Server{Handler: f, ReadHeaderTimeout: time.Minute}
	return server.Serve(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}}))
}

type floor struct {
	root   *workload.Root
	db     *sql.DB
	insert string
}

// open opens the database with its one table.
func (f *floor) open(where string) (err error) {
	table := "certificates (serial TEXT PRIMARY KEY, der BLOB NOT NULL)"
	f.insert = "INSERT INTO certificates VALUES (?, ?)"
	connections := 1 // SQLite has one writer, and its wait for the lock is slower than Go's
	if strings.HasPrefix(where, "postgres://") {
		table = "floor.certificates (serial TEXT PRIMARY KEY, der BYTEA NOT NULL)" // a ledger may be beside it
		f.insert = "INSERT INTO floor.certificates VALUES ($1, $2)"
		connections = 10 // as many as a ledger has
		f.db, err = sql.Open("pgx", where)
	} else {
		f.db, err = sql.Open("sqlite", where+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	}
	if err != nil {
		return err
	}
	f.db.SetMaxOpenConns(connections)
	f.db.SetMaxIdleConns(connections)
	if connections > 1 {
		if _, err := f.db.Exec("CREATE SCHEMA IF NOT EXISTS floor"); err != nil {
			return err
		}
	}
	_, err = f.db.Exec("CREATE TABLE IF NOT EXISTS " + table)
	return err
}

// message is what the requests to the enrollment server have in common.
type message struct {
	Request []byte `json:"request"`
}

type answer struct {
	Certificate []byte   `json:"certificate"`
	Bundle      [][]byte `json:"bundle"`
}

func (f *floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m message
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	serial, der, err := f.root.Issue(m.Request)
	if err == nil {
		_, err = f.db.ExecContext(r.Context(), f.insert, serial.Text(16), der)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer{der, [][]byte{der}}) // the client may have gone
}

// serverCertificate makes a certificate like that of the enrollment server, of a key like its key.
func serverCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "floor"}, NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der, der}, PrivateKey: key}, err
}
