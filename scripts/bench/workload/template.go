package workload

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// Template is a certificate with the positions of its serial, names and times in the DER.
type Template struct {
	der                 []byte
	Parent              *x509.Certificate
	serial              []byte
	host                string
	notBefore, notAfter string
}

// HostName returns the name of a host; all are of one length.
func HostName(i int) string { return fmt.Sprintf("host-%05d.example.com", i) }

// NewTemplate signs a certificate with a CA.
func NewTemplate(certPath, keyPath string) (*Template, error) {
	parent, key, err := Load(certPath, keyPath)
	if err != nil {
		return nil, err
	}
	leaf, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := &Template{Parent: parent, serial: bytes.Repeat([]byte{0x5a}, 16), host: HostName(0), notBefore: "010101000000Z", notAfter: "020202000000Z"}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(t.serial), Subject: pkix.Name{CommonName: t.host}, DNSNames: []string{t.host},
		NotBefore: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2002, 2, 2, 0, 0, 0, 0, time.UTC),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, parent, leaf.Public(), key)
	t.der = der
	return t, err
}

// Certificate returns one of a host, issued at a time, with another serial number.
func (t *Template) Certificate(host string, at time.Time, lifetime time.Duration) (*x509.Certificate, error) {
	serial := make([]byte, len(t.serial))
	rand.Read(serial)
	serial[0] = serial[0]&0x3f | 0x40 // positive, and as long as the template's
	der := bytes.Replace(t.der, t.serial, serial, 1)
	der = bytes.ReplaceAll(der, []byte(t.host), []byte(host))
	const utcTime = "060102150405Z"
	der = bytes.Replace(der, []byte(t.notBefore), []byte(at.UTC().Format(utcTime)), 1)
	der = bytes.Replace(der, []byte(t.notAfter), []byte(at.Add(lifetime).UTC().Format(utcTime)), 1)
	return x509.ParseCertificate(der)
}
