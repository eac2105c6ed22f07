package signer

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
		block, rest, err := nextBlock(data)
		if block == nil || err != nil {
			return err
		}
		if err := p.block(block); err != nil {
			return err
		}
		data = rest
	}
}

func (p *parser) block(block *pem.Block) error {
	switch block.Type {
	case "CERTIFICATE", "X509 CERTIFICATE":
		return p.addCertificate(block.Bytes)
	case "TRUSTED CERTIFICATE": // OpenSSL puts its trust settings behind the certificate
		cert, _, err := split(block.Bytes)
		if err != nil {
			return fmt.Errorf("%s: %w", block.Type, err)
		}
		return p.addCertificate(cert.FullBytes)
	case "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
		return p.addKey(func() (crypto.Signer, error) { return p.keyBlock(block) })
	}
	p.pass(describeBlock(block.Type))
	return nil
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
	der, err := x509.DecryptPEMBlock(block, password) //nolint:staticcheck // reading only; see above
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

// nextBlock returns the first PEM block and what follows it, or nil when there is none. It
// is more forgiving about white space than encoding/pem (lone CRs, indented or joined lines,
// as variables and YAML leave them), and stricter: a broken block is an error, not text.
func nextBlock(data []byte) (*pem.Block, []byte, error) {
	_, data, ok := bytes.Cut(data, []byte(beginMark))
	if !ok {
		return nil, nil, nil
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	label, _, ok := bytes.Cut(line, []byte(markTail))
	if !ok || len(label) > 64 {
		return nil, nil, errors.New("damaged PEM: a BEGIN line without its closing dashes")
	}
	name := string(label)
	body, rest, ok := bytes.Cut(data[len(label)+len(markTail):], []byte(endMark+name+markTail))
	if !ok || bytes.Contains(body, []byte(markTail)) {
		return nil, nil, fmt.Errorf("truncated: BEGIN %s without END %s", name, name)
	}
	block, err := decodeBody(name, body)
	return block, rest, err
}

func decodeBody(name string, body []byte) (*pem.Block, error) {
	if bytes.Contains(body, []byte(":")) {
		return decodeWithHeaders(name, body)
	}
	text := bytes.Join(bytes.Fields(body), nil)
	if bytes.Contains(text, []byte(`\n`)) {
		return nil, fmt.Errorf(`the %s block has the two characters \n where line breaks belong`, name)
	}
	der := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(der, text)
	if err != nil {
		return nil, fmt.Errorf("the %s block is damaged: %w", name, err)
	}
	if n == 0 {
		return nil, fmt.Errorf("the %s block is empty", name)
	}
	return &pem.Block{Type: name, Bytes: der[:n]}, nil
}

// decodeWithHeaders leaves RFC 1421 headers to encoding/pem, which wants real lines.
func decodeWithHeaders(name string, body []byte) (*pem.Block, error) {
	if !bytes.Contains(body, []byte("\n")) {
		body = bytes.ReplaceAll(body, []byte("\r"), []byte("\n"))
	}
	whole := fmt.Appendf(nil, "%s%s%s\n%s\n%s%s%s\n", beginMark, name, markTail, bytes.TrimSpace(body), endMark, name, markTail)
	block, _ := pem.Decode(whole)
	if block == nil {
		return nil, fmt.Errorf("the %s block is damaged", name)
	}
	return block, nil
}
