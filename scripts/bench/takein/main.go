// Command takein makes what "openssl ca" leaves of a CA that issued much: a folder with an
// index.txt, in which one of ten is revoked, and each certificate in a file of newcerts. It is
// what "kedge-ca ledger import" is timed with.
//
// usage: takein CA-CERTIFICATE CA-KEY FOLDER CERTIFICATES
package main

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"kedge/scripts/bench/workload"
)

// hosts is the number of names: each was issued many times.
const hosts = 10_000

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "takein:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 4 {
		return errors.New("give CA-CERTIFICATE CA-KEY FOLDER CERTIFICATES")
	}
	n, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	cert, key, err := workload.Load(args[0], args[1])
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(args[2], "newcerts"), 0o700); err != nil {
		return err
	}
	index, err := os.Create(filepath.Join(args[2], "index.txt"))
	if err != nil {
		return err
	}
	out := bufio.NewWriter(index)
	err = fill(args[2], out, n, func(template *x509.Certificate, public crypto.PublicKey) ([]byte, error) {
		return x509.CreateCertificate(rand.Reader, template, cert, public, key)
	})
	return errors.Join(err, out.Flush(), index.Close())
}

// fill writes the certificates and their lines.
func fill(dir string, index *bufio.Writer, n int, sign func(*x509.Certificate, crypto.PublicKey) ([]byte, error)) error {
	leaf, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	start := time.Now().UTC().Truncate(time.Second)
	const indexTime = "060102150405Z"
	for i := range n {
		serial := big.NewInt(int64(0x10000000 + i))
		host := fmt.Sprintf("host-%05d", i%hosts)
		from := start.Add(time.Duration(i-n) * time.Minute)
		until := from.AddDate(1, 0, 0)
		der, err := sign(&x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: host}, NotBefore: from, NotAfter: until,
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, leaf.Public())
		if err != nil {
			return err
		}
		data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		if err := os.WriteFile(filepath.Join(dir, "newcerts", fmt.Sprintf("%X.pem", serial)), data, 0o644); err != nil {
			return err
		}
		state, revoked := "V", ""
		if i%10 == 0 {
			state, revoked = "R", start.Format(indexTime)+",superseded"
		}
		fmt.Fprintf(index, "%s\t%s\t%s\t%X\tunknown\t/CN=%s\n", state, until.Format(indexTime), revoked, serial, host)
	}
	return nil
}
