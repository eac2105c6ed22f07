package keyfile

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

const (
	beginMark = "-----BEGIN "
	endMark   = "-----END "
	markTail  = "-----"
)

// pem reads every block of the input. Text around the blocks is skipped, as RFC 7468 2 asks.
func (p *parser) pem(data []byte) error {
	for {
		label, body, rest, err := cutBlock(data)
		if label == "" || err != nil {
			return err
		}
		if err := p.block(label, body); err != nil {
			return err
		}
		data = rest
	}
}

func (p *parser) block(label string, body []byte) error {
	switch label {
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "PKCS12":
	case "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
		if p.want == Certificates { // a damaged key does no harm to certificates
			p.pass("a private key")
			return nil
		}
	default: // not looked into: it may not even be base64
		p.pass(describeBlock(label))
		return nil
	}
	block, err := decodeBlock(label, body)
	if err != nil {
		return err
	}
	switch label {
	case "CERTIFICATE", "X509 CERTIFICATE":
		return p.addCertificate(block.Bytes)
	case "TRUSTED CERTIFICATE": // OpenSSL puts its trust settings behind the certificate
		cert, _, err := split(block.Bytes)
		if err != nil {
			return fmt.Errorf("unreadable certificate: %w", err)
		}
		return p.addCertificate(cert.FullBytes)
	case "PKCS12": // certtool --to-p12
		return p.pkcs12(block.Bytes)
	}
	return p.addKey(func() (crypto.Signer, error) { return p.keyBlock(block) })
}

// keyBlock reads a key by what is in the block: labels and contents are met in every pairing.
func (p *parser) keyBlock(block *pem.Block) (crypto.Signer, error) {
	if strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
		return p.legacyKeyBlock(block)
	}
	return parseKey(block.Bytes, p.password)
}

// legacyKeyBlock reads a key encrypted as RFC 1421 did and "openssl rsa -aes256" with
// -traditional still does. It is weak (one round of MD5), but the key is there and has to be read.
func (p *parser) legacyKeyBlock(block *pem.Block) (crypto.Signer, error) {
	password, err := p.password()
	if err != nil {
		return nil, err
	}
	//lint:ignore SA1019 reading only; see above
	der, err := x509.DecryptPEMBlock(block, password)
	if errors.Is(err, x509.IncorrectPasswordError) {
		return nil, ErrWrongPassword
	}
	if err != nil {
		return nil, fmt.Errorf("DEK-Info %q: %w", block.Headers["DEK-Info"], err)
	}
	defer clear(der)
	if _, err := shape(der); err != nil { // one padding in 256 is right by chance
		return nil, ErrWrongPassword
	}
	return parseKey(der, noPassword)
}

// cutBlock finds the first PEM block and what follows it; no label means there is none. A
// block that does not end is an error here, where encoding/pem takes it for text.
func cutBlock(data []byte) (label string, body, rest []byte, err error) {
	_, data, ok := bytes.Cut(data, []byte(beginMark))
	if !ok {
		return "", nil, nil, nil
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	name, _, ok := bytes.Cut(line, []byte(markTail))
	if !ok || len(name) == 0 || len(name) > 64 {
		return "", nil, nil, errors.New("damaged PEM: a BEGIN line without its label or closing dashes")
	}
	label = string(name)
	body, rest, ok = bytes.Cut(data[len(name)+len(markTail):], []byte(endMark+label+markTail))
	if !ok || bytes.Contains(body, []byte(markTail)) {
		return "", nil, nil, fmt.Errorf("truncated: BEGIN %s without END %s", label, label)
	}
	return label, body, rest, nil
}

// decodeBlock is more forgiving about white space than encoding/pem: lone CRs, indented and
// joined lines, as variables and YAML leave them.
func decodeBlock(label string, body []byte) (*pem.Block, error) {
	if bytes.Contains(body, []byte(":")) {
		return decodeWithHeaders(label, body)
	}
	text := bytes.Join(bytes.Fields(body), nil)
	if bytes.Contains(text, []byte(`\n`)) {
		return nil, fmt.Errorf(`the %s block has the two characters \n where line breaks belong`, label)
	}
	der := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(der, text)
	if err != nil {
		return nil, fmt.Errorf("the %s block is damaged: %w", label, err)
	}
	if n == 0 {
		return nil, fmt.Errorf("the %s block is empty", label)
	}
	return &pem.Block{Type: label, Bytes: der[:n]}, nil
}

// decodeWithHeaders leaves RFC 1421 headers to encoding/pem, which wants real lines.
func decodeWithHeaders(label string, body []byte) (*pem.Block, error) {
	if !bytes.Contains(body, []byte("\n")) {
		body = bytes.ReplaceAll(body, []byte("\r"), []byte("\n"))
	}
	whole := fmt.Appendf(nil, "%s%s%s\n%s\n%s%s%s\n", beginMark, label, markTail, bytes.TrimSpace(body), endMark, label, markTail)
	block, _ := pem.Decode(whole)
	if block == nil {
		return nil, fmt.Errorf("the %s block is damaged", label)
	}
	return block, nil
}
