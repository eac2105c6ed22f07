package takeover

import (
	"bytes"
	"cmp"
	"iter"
	"strings"

	"kedge/internal/pemread"
)

// block is a PEM block of a file.
type block struct {
	label  string // "CERTIFICATE"
	der    []byte // nil: truncated or damaged
	offset int    // in the file
}

// blocks yields the PEM blocks of data, with any text around them, as "openssl ca" writes it before
// each certificate. It takes linear time, whatever data contains.
func blocks(data []byte) iter.Seq[block] {
	begin := []byte("-----BEGIN ")
	return func(yield func(block) bool) {
		for offset := 0; ; {
			n := bytes.Index(data[offset:], begin)
			if n < 0 {
				return
			}
			offset += n
			end := len(data)
			if next := bytes.Index(data[offset+len(begin):], begin); next >= 0 {
				end = offset + len(begin) + next
			}
			if !yield(newBlock(data[offset:end], offset)) {
				return
			}
			offset = end
		}
	}
}

// newBlock decodes the block at the beginning of data, also if only package pemread can decode it.
func newBlock(data []byte, offset int) block {
	first, _, _ := bytes.Cut(data, []byte("\n"))
	label := bytes.TrimSuffix(bytes.TrimSpace(bytes.TrimPrefix(first, []byte("-----BEGIN "))), []byte("-----"))
	if all := blocksOf(data, len(data)); len(all) == 1 { // a list of a CA can have many megabytes
		return block{all[0].label, all[0].der, offset}
	}
	return block{string(label[:min(len(label), 40)]), nil, offset}
}

// coated reads what is neither plain PEM nor one element of DER: UTF-16, bare base64, several
// elements of DER, and more. It returns nil for anything else, and for data that is too large for
// such a file.
func coated(data []byte) []block { return blocksOf(data, pemread.DefaultMaxSize) }

func blocksOf(data []byte, limit int) []block {
	read, err := pemread.Blocks(data, pemread.Options{MaxSize: limit, Skip: func(label string) bool { return strings.HasSuffix(label, "PRIVATE KEY") }})
	if err != nil {
		return nil
	}
	var all []block
	for _, b := range read {
		if label := cmp.Or(labelOf(b.Kind), b.Label); label != "" {
			all = append(all, block{label, b.DER, 0})
		}
	}
	return all
}

// labelOf returns the RFC 7468 label of a kind that a CA uses.
func labelOf(kind pemread.Kind) string {
	switch kind {
	case pemread.Certificate:
		return "CERTIFICATE"
	case pemread.Request:
		return "CERTIFICATE REQUEST"
	case pemread.RevocationList:
		return labelCRL
	case pemread.PrivateKey, pemread.EncryptedKey, pemread.OpenSSHKey, pemread.TPMKey, pemread.PKCS12:
		return "PRIVATE KEY"
	case pemread.PublicKey:
		return "PUBLIC KEY"
	case pemread.Parameters:
		return "PARAMETERS"
	case pemread.PKCS7:
		return "PKCS7"
	}
	return ""
}

// isPEM reports whether data has a PEM block.
func isPEM(data []byte) bool { return bytes.Contains(data, []byte("-----BEGIN ")) }

// lineAt returns the number of the line at an offset, starting at 1.
func lineAt(data []byte, offset int) int { return 1 + bytes.Count(data[:offset], []byte("\n")) }
