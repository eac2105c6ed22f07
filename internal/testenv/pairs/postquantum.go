package pairs

import (
	"bytes"
	"crypto"
	"crypto/mldsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kedge/internal/pkcs8"
	"kedge/internal/testenv"
)

// postQuantum makes ML-DSA pairs: new keys in each form of RFC 9881 6, under the openssl CA
// and under an ML-DSA CA, and the RFC's own example keys.
func (m *maker) postQuantum() []Pair {
	m.tb.Helper()
	var all []Pair
	for _, set := range []mldsa.Parameters{mldsa.MLDSA44(), mldsa.MLDSA65(), mldsa.MLDSA87()} {
		key, err := mldsa.GenerateKey(set)
		if err != nil {
			m.tb.Fatal(err)
		}
		kind := strings.ToLower(set.String())
		all = append(all, m.mldsaForms(kind, key)...)
		all = append(all, m.underMLDSA(kind, key))
		all = append(all, m.examples(kind)...)
	}
	return all
}

func (m *maker) mldsaForms(kind string, key *mldsa.PrivateKey) []Pair {
	m.tb.Helper()
	m.issue(kind+".pem", key.PublicKey(), m.opensslCA("inter"))
	public := m.public(key.PublicKey())
	var all []Pair
	add := func(name string, encrypted bool, label string, der []byte) {
		file := kind + "." + name
		if label == "" {
			m.write(file, der)
		} else {
			m.write(file, pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
		}
		all = append(all, m.pair(kind, container{name: name, encrypted: encrypted},
			Pair{KeyFile: file, CertFile: kind + ".pem", InterFile: "inter.pem", Public: public}))
	}
	for form, name := range []string{"seed", "expanded", "both"} {
		der, err := pkcs8.MarshalMLDSA(key, pkcs8.MLDSAForm(form))
		if err != nil {
			m.tb.Fatal(err)
		}
		add(name+"-pem", false, "PRIVATE KEY", der)
		add(name+"-der", false, "", der)
		if form == int(pkcs8.FormSeed) { // the form kedge-ca writes; scrypt makes each one dear
			sealed, err := pkcs8.Encrypt(der, []byte(Password))
			if err != nil {
				m.tb.Fatal(err)
			}
			add(name+"-encrypted", true, "ENCRYPTED PRIVATE KEY", sealed)
		}
	}
	return all
}

// underMLDSA is a pair whose root is ML-DSA too, with no intermediate.
func (m *maker) underMLDSA(kind string, key *mldsa.PrivateKey) Pair {
	m.tb.Helper()
	rootKey, err := mldsa.GenerateKey(mldsa.MLDSA65())
	if err != nil {
		m.tb.Fatal(err)
	}
	root := issuer{key: rootKey}
	root.cert = m.issue(kind+".root.pem", rootKey.PublicKey(), root)
	m.issue(kind+".under-mldsa.pem", key.PublicKey(), root)
	p := m.pair(kind, container{name: "under-ml-dsa-root"},
		Pair{KeyFile: kind + ".seed-pem", CertFile: kind + ".under-mldsa.pem", Public: m.public(key.PublicKey())})
	p.CAFile = m.path(kind + ".root.pem")
	return p
}

// examples are the keys of RFC 9881 appendix C, with leaves of our own: the certificates
// there are self-signed.
func (m *maker) examples(kind string) []Pair {
	m.tb.Helper()
	dir := filepath.Join(testenv.Root(m.tb), "signer", "testdata", "keys", "rfc9881")
	block, _ := pem.Decode(m.mustRead(filepath.Join(dir, kind+"-pub.pem")))
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		m.tb.Fatal(err)
	}
	m.issue(kind+".example.pem", public, m.opensslCA("inter"))
	var all []Pair
	for form, name := range []string{"seed", "expanded", "both"} {
		file := kind + ".example-" + name
		data, err := os.ReadFile(filepath.Join(dir, kind+"-key-"+name+".pem"))
		if err != nil { // the file of the seed determines it; see testdata/keys/README.md
			data = m.inForm(filepath.Join(dir, kind+"-key-seed.pem"), pkcs8.MLDSAForm(form))
		}
		m.write(file, data)
		all = append(all, m.pair(kind, container{name: "rfc9881-" + name},
			Pair{KeyFile: file, CertFile: kind + ".example.pem", InterFile: "inter.pem", Public: block.Bytes}))
	}
	return all
}

// inForm is the ML-DSA key of a file in the seed form, in another form.
func (m *maker) inForm(path string, form pkcs8.MLDSAForm) []byte {
	m.tb.Helper()
	block, _ := pem.Decode(m.mustRead(path))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		m.tb.Fatal(err)
	}
	der, err := pkcs8.MarshalMLDSA(key.(*mldsa.PrivateKey), form)
	if err != nil {
		m.tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// issuer is a CA; without a certificate it is about to sign its own.
type issuer struct {
	key  crypto.Signer
	cert *x509.Certificate
}

func (m *maker) opensslCA(name string) issuer {
	m.tb.Helper()
	keyBlock, _ := pem.Decode(m.read(name + ".key"))
	certBlock, _ := pem.Decode(m.read(name + ".pem"))
	key, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		m.tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		m.tb.Fatal(err)
	}
	return issuer{key: key.(crypto.Signer), cert: cert}
}

// issue writes a certificate for the public key: a leaf, or the issuer's own.
func (m *maker) issue(file string, public crypto.PublicKey, by issuer) *x509.Certificate {
	m.tb.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		m.tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{"kedge test"}, CommonName: strings.TrimSuffix(file, ".pem")},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	parent := by.cert
	if parent == nil {
		template.IsCA, template.KeyUsage, template.ExtKeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign, nil
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by.key)
	if err != nil {
		m.tb.Fatal(err)
	}
	var out bytes.Buffer
	if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
		m.tb.Fatal(err)
	}
	m.write(file, out.Bytes())
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		m.tb.Fatal(err)
	}
	return cert
}

func (m *maker) public(key crypto.PublicKey) []byte {
	m.tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		m.tb.Fatal(err)
	}
	return der
}

func (m *maker) mustRead(path string) []byte {
	m.tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		m.tb.Fatal(err)
	}
	return data
}
