package main

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/csv"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// count is what a check found.
type count struct {
	handedOut int // certificates in files
	recorded  int // names of leaves in the ledger
	leftover  int // files that are no certificates
}

// check verifies the ledger and compares every file with it.
func (r *rehearsal) check() (count, error) {
	if _, err := r.kedgeCA("ledger", "verify"); err != nil {
		return count{}, err
	}
	table, err := r.kedgeCA("list", "--kind", "leaf", "--limit", "0", "--csv")
	if err != nil {
		return count{}, err
	}
	recorded, err := readTable(table)
	if err != nil {
		return count{}, err
	}
	files, err := os.ReadDir(r.path("out"))
	if err != nil {
		return count{}, err
	}
	c := count{}
	for _, newest := range recorded {
		if newest {
			c.recorded++
		}
	}
	var faults []error
	for _, file := range files {
		switch name := file.Name(); {
		case strings.HasSuffix(name, ".chain.pem") || strings.HasSuffix(name, ".key"):
		case strings.HasSuffix(name, ".pem"):
			c.handedOut++
			faults = append(faults, checkFile(r.path(filepath.Join("out", name)), recorded))
		default:
			c.leftover++
		}
	}
	return c, errors.Join(faults...)
}

// readTable returns the fingerprints in a table of certificates, in hex, and whether it is the
// newest of its name. None may have the serial of another, replace what another replaces, or have
// the name and the issuer of another without replacing anything: only after a change of the root
// is what was interrupted issued again.
func readTable(table []byte) (map[string]bool, error) {
	rows, err := csv.NewReader(bytes.NewReader(table)).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("the table of certificates has no header")
	}
	column := func(name string) int { return slices.Index(rows[0], name) }
	fingerprint, serial, name, issuer, replaces := column("fingerprint"), column("serial"), column("common_name"), column("issuer"), column("replaces")
	if min(fingerprint, serial, name, issuer, replaces) < 0 {
		return nil, fmt.Errorf("the table of certificates has the columns %q", rows[0])
	}
	recorded, seen, newest := map[string]bool{}, map[string]bool{}, map[string]string{}
	for _, row := range rows[1:] {
		recorded[row[fingerprint]] = true
		if before, ok := newest[row[name]]; ok {
			recorded[before] = false
		}
		newest[row[name]] = row[fingerprint]
		only := "name " + row[name] + " by " + row[issuer]
		if row[replaces] != "" {
			only = "successor of " + row[replaces]
		}
		for _, once := range []string{"serial " + row[serial], only} {
			if seen[once] {
				return nil, fmt.Errorf("the %s is in the ledger twice", once)
			}
			seen[once] = true
		}
	}
	return recorded, nil
}

// checkFile compares a certificate with the ledger and the key beside it.
func checkFile(file string, recorded map[string]bool) error {
	der, err := readPEM(file, "CERTIFICATE")
	if err != nil {
		return err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	sum := sha256.Sum256(der)
	if newest, ok := recorded[hex.EncodeToString(sum[:])]; !ok || !newest {
		return fmt.Errorf("%s is not in the ledger, or was renewed and not replaced", file)
	}
	name := strings.TrimSuffix(file, ".pem")
	if _, err := readPEM(name+".chain.pem", "CERTIFICATE"); err != nil {
		return err
	}
	keyFile := name + ".key"
	if der, err = readPEM(keyFile, "PRIVATE KEY"); err != nil {
		return err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return fmt.Errorf("%s: %w", keyFile, err)
	}
	public, ok := cert.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if signer, is := key.(crypto.Signer); !ok || !is || !public.Equal(signer.Public()) {
		return fmt.Errorf("%s does not belong to %s", keyFile, file)
	}
	return nil
}

// readPEM returns what the only block of a file holds.
func readPEM(file, label string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(data)
	if block == nil || block.Type != label || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%s does not hold one %s alone", file, label)
	}
	return block.Bytes, nil
}
