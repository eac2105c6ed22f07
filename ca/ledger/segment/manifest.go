package segment

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kedge/ca"
)

// magic begins a file and its manifest.
const magic = "kedge ledger segment 1\n"

const (
	blockRecords = 256     // records of a data block
	blockBytes   = 4 << 20 // ends a data block that has more
	maxBlock     = 64 << 20
	keySize      = 8
	rowSize      = keySize + 4 // of an index block
	indexRows    = 8192        // of an index block
	footerSize   = 8
	maxManifest  = 64 << 20
	maxSignature = 64 << 10
)

// Manifest describes a segment. It is what is signed.
type Manifest struct {
	Ledger   string    `json:"ledger"`   // hash of the first entry of the chain, hexadecimal
	Number   int64     `json:"number"`   // 1, 2, 3 …
	Previous string    `json:"previous"` // digest of the segment before, hexadecimal; empty for the first
	Expired  time.Time `json:"expired"`  // all certificates in it had expired before
	Head     string    `json:"head"`     // SEQ:HASH: the end of the chain when it was begun
	Before   string    `json:"before"`   // SEQ:HASH: what the first record follows in the chain
	After    string    `json:"after"`    // SEQ:HASH: the last record

	Records int64  `json:"records"`
	First   int64  `json:"first"` // sequence number of the first record
	Last    int64  `json:"last"`
	Signer  []byte `json:"signer"` // certificate of the authority that signed it, DER
	Data    []Part `json:"data"`
	Index   []Part `json:"index"`
}

// Part is a block of the file. They follow one another.
type Part struct {
	Size   int64  `json:"size"`
	First  int64  `json:"first,omitempty"` // of data: sequence number of its first record
	Key    string `json:"key,omitempty"`   // of the index: its first key, hexadecimal
	SHA256 []byte `json:"sha256"`
}

// Signer signs manifests: a *ca.Authority.
type Signer interface {
	Certificate() *x509.Certificate
	SignText([]byte) ([]byte, error)
}

// DamagedError reports that a file is not a segment, or was changed.
type DamagedError struct {
	File string
	What string
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("the segment %s is damaged: %s", e.File, e.What)
}

// sign returns the end of a file: manifest, signature and footer; and the digest of the manifest.
func (m *Manifest) sign(by Signer) (end, digest []byte, err error) {
	m.Signer = by.Certificate().Raw
	data, err := json.Marshal(m)
	if err != nil {
		return nil, nil, err
	}
	text := append([]byte(magic), data...)
	signature, err := by.SignText(text)
	if err != nil {
		return nil, nil, err
	}
	sum := sha256.Sum256(text)
	end = append(text, signature...)
	end = binary.BigEndian.AppendUint32(end, uint32(len(text)))
	return binary.BigEndian.AppendUint32(end, uint32(len(signature))), sum[:], nil
}

// parseManifest checks the signature of a manifest, and its form. size is that of the blocks, with the
// magic before them. Who may sign is for the caller to check.
func parseManifest(text, signature []byte, size int64) (*Manifest, *x509.Certificate, error) {
	data, ok := bytes.CutPrefix(text, []byte(magic))
	if !ok {
		return nil, nil, errors.New("its manifest is of another format")
	}
	var m Manifest
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if d.Decode(&m) != nil || d.More() {
		return nil, nil, errors.New("its manifest cannot be read")
	}
	signer, err := ca.ParseCertificate(m.Signer)
	if err != nil || ca.CheckText(signer, text, signature) != nil {
		return nil, nil, errors.New("the signature of its manifest does not verify")
	}
	size -= int64(len(magic))
	for _, part := range append(m.Data, m.Index...) {
		if part.Size <= 0 || part.Size > maxBlock || len(part.SHA256) != sha256.Size {
			return nil, nil, errors.New("its manifest describes a block of an impossible size")
		}
		size -= part.Size
	}
	if size != 0 || len(m.Data) == 0 {
		return nil, nil, errors.New("its blocks are not those of its manifest")
	}
	return &m, signer, nil
}

// name returns the file name of a segment.
func name(number int64, digest []byte) string {
	return fmt.Sprintf("segment-%06d-%s.kedge", number, hex.EncodeToString(digest[:8]))
}

// hashOf returns the key of a lookup: the beginning of its SHA-256.
func hashOf(key string) (h [keySize]byte) {
	sum := sha256.Sum256([]byte(key))
	copy(h[:], sum[:])
	return h
}
