package keyfile

import (
	"bytes"
	"fmt"
	"strings"
)

// The things people hand over by mistake, each with what to do about it.
const (
	pkcs7Advice   = `a PKCS#7 bundle (convert it: openssl pkcs7 -print_certs -in FILE, with -inform DER if it is binary)`
	opensshAdvice = `an OpenSSH key (convert a copy: ssh-keygen -p -N "" -m PKCS8 -f COPY)`
	tpmAdvice     = "a TPM key, which only its TPM can use"
)

// describeBlock names a PEM block that holds neither a certificate nor a usable private key.
func describeBlock(label string) string {
	switch {
	case strings.HasSuffix(label, "CERTIFICATE REQUEST"):
		return "a certificate request"
	case label == "X509 CRL":
		return "a revocation list"
	case label == "PUBLIC KEY", label == "RSA PUBLIC KEY", label == "EC PUBLIC KEY", label == "SSH2 PUBLIC KEY":
		return "a public key"
	case label == "PKCS7", label == "CMS", label == "PKCS #7 SIGNED DATA":
		return pkcs7Advice
	case label == "OPENSSH PRIVATE KEY":
		return opensshAdvice
	case label == "DSA PRIVATE KEY":
		return "a DSA private key, for which Roles Anywhere has no algorithm"
	case label == "TSS2 PRIVATE KEY", label == "TSS2 KEY BLOB":
		return tpmAdvice
	case strings.HasPrefix(label, "PGP "):
		return "an OpenPGP block"
	case label == "EC PARAMETERS":
		return "EC parameters alone"
	}
	return fmt.Sprintf("PEM of the kind %q", label)
}

// describe names data that is neither PEM nor DER.
func describe(data []byte) string {
	text := bytes.ToLower(bytes.TrimSpace(data[:min(len(data), 512)]))
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return "UTF-16 text (save it as ASCII or UTF-8)"
	case bytes.HasPrefix(text, []byte("<!doctype html")), bytes.HasPrefix(text, []byte("<html")):
		return "an HTML page"
	case bytes.HasPrefix(text, []byte("<")):
		return "XML"
	case bytes.HasPrefix(text, []byte("{")), bytes.HasPrefix(text, []byte("[")):
		return "JSON"
	case bytes.HasPrefix(text, []byte("ssh-")), bytes.HasPrefix(text, []byte("ecdsa-sha2-")):
		return "an OpenSSH public key"
	case bytes.HasPrefix(text, []byte("putty-user-key-file")):
		return "a PuTTY key"
	case bytes.HasPrefix(data, []byte("\xfe\xed\xfe\xed")):
		return `a Java keystore (convert it: keytool -importkeystore -deststoretype PKCS12)`
	case bytes.HasPrefix(text, []byte("mii")):
		return "base64 without its BEGIN and END lines"
	}
	return "neither PEM nor DER nor PKCS#12"
}
