package takeover

import (
	"bytes"
	"encoding/pem"
	"iter"
)

// block is a PEM block of a file.
type block struct {
	label  string // "CERTIFICATE"
	der    []byte // nil: cut short or damaged
	offset int    // in the file
}

// blocks yields the PEM blocks of data, with any text around them, as "openssl ca" writes it
// before each certificate. The time that it takes grows with the size of data, whatever that
// holds.
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

// newBlock decodes one block, which begins where data does.
func newBlock(data []byte, offset int) block {
	first, _, _ := bytes.Cut(data, []byte("\n"))
	label := bytes.TrimSuffix(bytes.TrimSpace(bytes.TrimPrefix(first, []byte("-----BEGIN "))), []byte("-----"))
	if decoded, _ := pem.Decode(data); decoded != nil {
		return block{decoded.Type, decoded.Bytes, offset}
	}
	return block{string(label[:min(len(label), 40)]), nil, offset}
}

// isPEM reports whether data has a PEM block.
func isPEM(data []byte) bool { return bytes.Contains(data, []byte("-----BEGIN ")) }

// lineAt returns the number of the line at an offset, from 1.
func lineAt(data []byte, offset int) int { return 1 + bytes.Count(data[:offset], []byte("\n")) }
