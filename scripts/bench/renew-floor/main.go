// Command renew-floor is the floor for renewals: the least program that signs a certificate for
// each NAME.pem of a folder with a P-256 CA, records it durably, and puts it and its chain in the
// place of the old ones, each fsynced with its folder. As many records as wait go into one commit.
// It checks nothing. It prints how many it made in a second.
//
// usage: renew-floor CA-CERTIFICATE CA-KEY FOLDER DATABASE
package main

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite"

	"kedge/scripts/bench/workload"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "renew-floor:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 4 {
		return errors.New("give CA-CERTIFICATE CA-KEY FOLDER DATABASE")
	}
	f, err := newFloor(args[0], args[1], args[3])
	if err != nil {
		return err
	}
	defer f.db.Close()
	all, err := filepath.Glob(filepath.Join(args[2], "*.pem"))
	if err != nil {
		return err
	}
	var names []string
	for _, path := range all {
		if !strings.HasSuffix(path, ".chain.pem") {
			names = append(names, path)
		}
	}
	go f.commit()
	defer close(f.queue)
	perSecond, err := workload.Run(len(names), func(i int) error { return f.renew(names[i]) })
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%.1f\n", perSecond)
	return err
}

type floor struct {
	issuer *x509.Certificate
	key    crypto.Signer
	db     *sql.DB
	queue  chan record
}

type record struct {
	serial *big.Int
	der    []byte
	done   chan error
}

func newFloor(certPath, keyPath, database string) (*floor, error) {
	cert, err := readCertificate(certPath)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(keyPath)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s is not PEM", keyPath)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s holds a %T", keyPath, key)
	}
	db, err := sql.Open("sqlite", database+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.Exec("CREATE TABLE IF NOT EXISTS certificates (serial TEXT PRIMARY KEY, der BLOB NOT NULL) WITHOUT ROWID")
	return &floor{cert, signer, db, make(chan record, workload.Workers)}, err
}

func readCertificate(path string) (*x509.Certificate, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s is not PEM", path)
	}
	return x509.ParseCertificate(block.Bytes)
}

func (f *floor) renew(path string) error {
	old, err := readCertificate(path)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: serial, Subject: old.Subject, NotBefore: now, NotAfter: now.Add(24 * time.Hour),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, f.issuer, old.PublicKey, f.key)
	if err != nil {
		return err
	}
	r := record{serial, der, make(chan error, 1)}
	f.queue <- r
	if err := <-r.done; err != nil {
		return err
	}
	chain := strings.TrimSuffix(path, ".pem") + ".chain.pem"
	if err := errors.Join(stage(path, der), stage(chain, f.issuer.Raw)); err != nil {
		return err
	}
	if err := errors.Join(os.Rename(path+".new", path), os.Rename(chain+".new", chain)); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// commit records what is queued, until the queue is closed.
func (f *floor) commit() {
	for first := range f.queue {
		batch := []record{first}
		for n := len(f.queue); n > 0; n-- {
			batch = append(batch, <-f.queue)
		}
		err := f.insert(batch)
		for _, r := range batch {
			r.done <- err
		}
	}
}

func (f *floor) insert(batch []record) error {
	tx, err := f.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, r := range batch {
		if _, err := tx.Exec("INSERT INTO certificates VALUES (?, ?)", r.serial.Text(16), r.der); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func stage(path string, der []byte) error {
	file, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	err = pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	return errors.Join(err, file.Sync(), file.Close())
}

func syncFolder(dir string) error {
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
