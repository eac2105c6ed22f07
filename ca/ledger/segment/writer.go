package segment

import (
	"bytes"
	"cmp"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Record is what left the database together.
type Record struct {
	Seq  int64
	Keys []string // by which Segment.Find finds it
	Data []byte
}

// indexRow is a key, and the data block with a record that has it.
type indexRow struct {
	key   [keySize]byte
	block uint32
}

// Writer writes the blocks of a segment, and in the end its manifest. Its memory grows with the keys:
// 12 bytes each.
type Writer struct {
	w     io.Writer
	m     Manifest
	raw   []byte // of the block that is being filled
	count int    // its records
	first int64  // its first
	index []indexRow
	out   bytes.Buffer
	z     *flate.Writer
}

// NewWriter begins a segment.
func NewWriter(w io.Writer) (*Writer, error) {
	z, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(w, magic)
	return &Writer{w: w, z: z}, err
}

// Add adds a record, which must come after the previous one in the chain.
func (w *Writer) Add(r Record) error {
	if r.Seq <= w.m.Last {
		return fmt.Errorf("write a segment: record %d comes after %d", r.Seq, w.m.Last)
	}
	if len(r.Data) > blockBytes {
		return fmt.Errorf("write a segment: record %d has %d bytes", r.Seq, len(r.Data))
	}
	if w.count == 0 {
		w.first = r.Seq
	}
	if w.m.Records == 0 {
		w.m.First = r.Seq
	}
	w.m.Last = r.Seq
	w.m.Records++
	w.count++
	w.raw = binary.AppendUvarint(w.raw, uint64(r.Seq))
	w.raw = binary.AppendUvarint(w.raw, uint64(len(r.Data)))
	w.raw = append(w.raw, r.Data...)
	for _, key := range r.Keys {
		w.index = append(w.index, indexRow{hashOf(key), uint32(len(w.m.Data))})
	}
	if w.count < blockRecords && len(w.raw) < blockBytes {
		return nil
	}
	return w.endBlock()
}

// endBlock compresses and writes the data block.
func (w *Writer) endBlock() error {
	w.out.Reset()
	w.z.Reset(&w.out)
	if _, err := w.z.Write(w.raw); err != nil {
		return err
	}
	if err := w.z.Close(); err != nil {
		return err
	}
	w.m.Data = append(w.m.Data, part(w.out.Bytes(), w.first))
	w.raw, w.count = w.raw[:0], 0
	_, err := w.w.Write(w.out.Bytes())
	return err
}

func part(block []byte, first int64) Part {
	sum := sha256.Sum256(block)
	return Part{Size: int64(len(block)), First: first, SHA256: sum[:]}
}

// Close ends the segment; m has what the records do not have. It returns the digest of its
// manifest.
func (w *Writer) Close(m Manifest, by Signer) (digest []byte, err error) {
	if w.m.Records == 0 {
		return nil, errors.New("write a segment: it has no records")
	}
	if w.count != 0 {
		if err := w.endBlock(); err != nil {
			return nil, err
		}
	}
	if err := w.writeIndex(); err != nil {
		return nil, err
	}
	m.Records, m.First, m.Last, m.Data, m.Index = w.m.Records, w.m.First, w.m.Last, w.m.Data, w.m.Index
	end, digest, err := m.sign(by)
	if err == nil {
		_, err = w.w.Write(end)
	}
	return digest, err
}

func (w *Writer) writeIndex() error {
	slices.SortFunc(w.index, func(a, b indexRow) int {
		return cmp.Or(bytes.Compare(a.key[:], b.key[:]), cmp.Compare(a.block, b.block))
	})
	w.index = slices.Compact(w.index)
	for rows := range slices.Chunk(w.index, indexRows) {
		block := encodeIndex(rows)
		w.m.Index = append(w.m.Index, indexPart(block, rows))
		if _, err := w.w.Write(block); err != nil {
			return err
		}
	}
	return nil
}

// encodeIndex encodes a block of the index.
func encodeIndex(rows []indexRow) (block []byte) {
	for _, row := range rows {
		block = append(block, row.key[:]...)
		block = binary.BigEndian.AppendUint32(block, row.block)
	}
	return block
}

func indexPart(block []byte, rows []indexRow) Part {
	p := part(block, 0)
	p.Key = hex.EncodeToString(rows[0].key[:])
	return p
}
