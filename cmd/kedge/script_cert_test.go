package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/mldsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// ca NAME [ISSUER]: makes NAME.pem and NAME.key, a CA.
func makeCA(ts *testscript.TestScript, args []string) {
	issuer := args[0]
	if len(args) > 1 {
		issuer = args[1]
	}
	makeCert(ts, []string{args[0], issuer, "ca"})
}

// cert NAME ISSUER [ATTRIBUTE...]: makes NAME.pem and NAME.key, a leaf that is
//
//	p384 p521 rsa mldsa65      of another key than P-256
//	expired early              out of its time
//	last-third last-tenth      near its end
//	no-subject ca no-usage     against the rules
func makeCert(ts *testscript.TestScript, args []string) {
	name, issuer, attributes := args[0], args[1], args[2:]
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	kind := "p256"
	for _, attribute := range attributes {
		switch attribute {
		case "expired":
			template.NotBefore, template.NotAfter = time.Unix(1600000000, 0), time.Unix(1700000000, 0)
		case "early":
			template.NotBefore, template.NotAfter = time.Unix(6000000000, 0), time.Unix(7000000000, 0)
		case "last-third":
			template.NotBefore = now.Add(-3 * time.Hour)
		case "last-tenth":
			template.NotBefore = now.Add(-24 * time.Hour)
		case "no-subject":
			template.Subject = pkix.Name{}
		case "no-usage":
			template.KeyUsage = x509.KeyUsageKeyEncipherment
		case "ca":
			template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign|x509.KeyUsageDigitalSignature
		default:
			kind = attribute
		}
	}
	key, err := newKey(kind)
	ts.Check(err)
	parent, parentKey := template, key
	if issuer != name {
		parent, parentKey = readPair(ts, issuer)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	ts.Check(err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(name+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
	ts.Check(os.WriteFile(ts.MkAbs(name+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
}

// cross FILE NAME ISSUER DAYS: makes FILE.pem, a certificate by ISSUER for the CA in NAME.pem that is
// valid for so many days; it has expired where they are negative.
func makeCross(ts *testscript.TestScript, args []string) {
	ca, _ := readPair(ts, args[1])
	issuer, issuerKey := readPair(ts, args[2])
	days, err := strconv.Atoi(args[3])
	ts.Check(err)
	template := *ca
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().AddDate(0, 0, -1000), time.Now().AddDate(0, 0, days)
	template.AuthorityKeyId = nil
	der, err := x509.CreateCertificate(rand.Reader, &template, issuer, ca.PublicKey, issuerKey)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
}

func newKey(kind string) (crypto.Signer, error) {
	switch kind {
	case "p256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "p384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "p521":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "rsa":
		return rsa.GenerateKey(rand.Reader, 2048)
	case "mldsa65":
		return mldsa.GenerateKey(mldsa.MLDSA65())
	}
	return nil, fmt.Errorf("unknown attribute %q", kind)
}

func readPair(ts *testscript.TestScript, name string) (*x509.Certificate, crypto.Signer) {
	block, _ := pem.Decode([]byte(ts.ReadFile(name + ".pem")))
	cert, err := x509.ParseCertificate(block.Bytes)
	ts.Check(err)
	block, _ = pem.Decode([]byte(ts.ReadFile(name + ".key")))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	ts.Check(err)
	return cert, key.(crypto.Signer)
}

// verify-sig NAME HASH: standard output is, in hexadecimal, what sign-string signs with NAME.key.
func verifySignature(ts *testscript.TestScript, args []string) {
	signature, err := hex.DecodeString(strings.Trim(ts.ReadFile("stdout"), `"`))
	ts.Check(err)
	_, key := readPair(ts, args[0])
	var public []byte
	switch k := key.Public().(type) {
	case *ecdsa.PublicKey:
		public, err = k.Bytes()
		ts.Check(err)
	case *rsa.PublicKey:
		public = x509.MarshalPKCS1PublicKey(k)
	case *mldsa.PublicKey:
		public = k.Bytes()
	}
	suffix := sha256.Sum256([]byte("IAM RA" + string(public)))
	message := []byte("AWS Roles Anywhere Credential Helper Signing Test1" + string(suffix[:]))
	hash := map[string]crypto.Hash{"SHA256": crypto.SHA256, "SHA384": crypto.SHA384, "SHA512": crypto.SHA512}[args[1]]
	h := hash.New()
	h.Write(message)
	switch k := key.Public().(type) {
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(k, h.Sum(nil), signature) {
			ts.Fatalf("the signature is not of this string and key")
		}
	case *rsa.PublicKey:
		ts.Check(rsa.VerifyPKCS1v15(k, hash, h.Sum(nil), signature))
	case *mldsa.PublicKey:
		ts.Check(mldsa.Verify(k, message, signature, nil))
	}
}
