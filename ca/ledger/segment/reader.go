package segment

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
)

// Segment is an open segment, whose signature has been verified; its blocks are when they are read. It
// is safe for concurrent use.
type Segment struct {
	Manifest
	file    string // as in errors
	r       io.ReaderAt
	close   func() error
	digest  []byte
	signer  *x509.Certificate
	offsets []int64 // of the blocks, data before index
}

// Open opens the segment in a file. An error that wraps fs.ErrNotExist means that it is missing, and a
// *DamagedError that it was changed.
func Open(path string) (*Segment, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s, err := openFile(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

func openFile(f *os.File) (*Segment, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &DamagedError{f.Name(), "it is not a regular file"}
	}
	s := &Segment{file: f.Name(), r: f, close: f.Close}
	return s, s.readManifest(info.Size())
}

// readManifest reads the end of the file.
func (s *Segment) readManifest(size int64) error {
	var footer [footerSize]byte
	if size < int64(2*len(magic))+footerSize {
		return s.damaged("it is too short")
	}
	if err := s.readAt(footer[:], size-footerSize); err != nil {
		return err
	}
	n, m := int64(binary.BigEndian.Uint32(footer[:4])), int64(binary.BigEndian.Uint32(footer[4:]))
	start := size - footerSize - n - m
	if n > maxManifest || m > maxSignature || start < int64(len(magic)) {
		return s.damaged("its end is not that of a segment")
	}
	text, signature, head := make([]byte, n), make([]byte, m), make([]byte, len(magic))
	if err := errors.Join(s.readAt(head, 0), s.readAt(text, start), s.readAt(signature, start+n)); err != nil {
		return err
	}
	if string(head) != magic {
		return s.damaged("it does not begin as a segment")
	}
	manifest, signer, err := parseManifest(text, signature, start)
	if err != nil {
		return s.damaged("%v", err)
	}
	sum := sha256.Sum256(text)
	s.Manifest, s.signer, s.digest = *manifest, signer, sum[:]
	at := int64(len(magic))
	for _, part := range slices.Concat(s.Data, s.Index) {
		s.offsets = append(s.offsets, at)
		at += part.Size
	}
	return nil
}

func (s *Segment) readAt(b []byte, at int64) error {
	if n, err := s.r.ReadAt(b, at); n < len(b) {
		if err == io.EOF {
			return s.damaged("it ends too early")
		}
		return err
	}
	return nil
}

func (s *Segment) damaged(format string, args ...any) error {
	return &DamagedError{s.file, fmt.Sprintf(format, args...)}
}

// Close closes the file.
func (s *Segment) Close() error { return s.close() }

// Digest returns the SHA-256 of the manifest.
func (s *Segment) Digest() []byte { return s.digest }

// Signed returns the certificate of the authority that signed the segment. The caller checks that it is
// one of its ledger.
func (s *Segment) Signed() *x509.Certificate { return s.signer }

// Name returns the name that the file of the segment has.
func (s *Segment) Name() string { return name(s.Number, s.digest) }

// File returns the path by which the segment was opened.
func (s *Segment) File() string { return s.file }

// block reads and checks a block: part i of data, or of the index after them.
func (s *Segment) block(i int, p Part) ([]byte, error) {
	b := make([]byte, p.Size)
	if err := s.readAt(b, s.offsets[i]); err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(b); !bytes.Equal(sum[:], p.SHA256) {
		return nil, s.damaged("the block at byte %d was changed", s.offsets[i])
	}
	return b, nil
}

// Block returns the records of a data block, without their keys. They share memory.
func (s *Segment) Block(i int) ([]Record, error) {
	b, err := s.block(i, s.Data[i])
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(b)), maxBlock))
	if err != nil {
		return nil, s.damaged("block %d cannot be decompressed", i)
	}
	var all []Record
	for len(raw) != 0 {
		seq, n := binary.Uvarint(raw)
		size, m := binary.Uvarint(raw[max(n, 0):])
		if n <= 0 || m <= 0 || size > uint64(len(raw)-n-m) {
			return nil, s.damaged("block %d ends within a record", i)
		}
		all = append(all, Record{Seq: int64(seq), Data: raw[n+m : n+m+int(size)]})
		raw = raw[n+m+int(size):]
	}
	if len(all) == 0 || all[0].Seq != s.Data[i].First {
		return nil, s.damaged("block %d does not begin with record %d", i, s.Data[i].First)
	}
	return all, nil
}

// Records yields all records, in the order of the chain. An error ends it.
func (s *Segment) Records() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for i := range s.Data {
			all, err := s.Block(i)
			if err != nil {
				yield(Record{}, err)
				return
			}
			for _, r := range all {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// Find returns the numbers of the data blocks that may have a record with one of the keys, in order, and
// leaves none out that does; two keys may have one hash. It reads a block of the index at most once.
func (s *Segment) Find(keys ...string) ([]int, error) {
	wanted, texts := map[[keySize]byte]bool{}, make([]string, 0, len(keys))
	for _, key := range keys {
		hash := hashOf(key)
		wanted[hash] = true
		texts = append(texts, hex.EncodeToString(hash[:]))
	}
	slices.Sort(texts)
	var found []int
	for i, p := range s.Index {
		at, _ := slices.BinarySearch(texts, p.Key)
		// The rows of a key may go on in the next part, which then begins with it.
		if at == len(texts) || i+1 < len(s.Index) && texts[at] > s.Index[i+1].Key {
			continue
		}
		blocks, err := s.findIn(i, wanted)
		if err != nil {
			return nil, err
		}
		found = append(found, blocks...)
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

// findIn returns what a part of the index has about some hashes.
func (s *Segment) findIn(part int, wanted map[[keySize]byte]bool) (found []int, err error) {
	b, err := s.block(len(s.Data)+part, s.Index[part])
	if err != nil {
		return nil, err
	}
	for row := range slices.Chunk(b, rowSize) {
		if len(row) != rowSize || !wanted[[keySize]byte(row)] {
			continue
		}
		n := int(binary.BigEndian.Uint32(row[keySize:]))
		if n >= len(s.Data) {
			return nil, s.damaged("its index names a block that it does not have")
		}
		found = append(found, n)
	}
	return found, nil
}

// Check reads the whole segment, every block, the order of the records and their number, and returns the
// sequence numbers of the records.
func (s *Segment) Check() (seqs []int64, err error) {
	last := int64(0)
	for r, err := range s.Records() {
		if err != nil {
			return nil, err
		}
		if r.Seq <= last {
			return nil, s.damaged("record %d comes after record %d", r.Seq, last)
		}
		last = r.Seq
		seqs = append(seqs, r.Seq)
	}
	if count := int64(len(seqs)); count != s.Manifest.Records || last != s.Last {
		return nil, s.damaged("it has %d records up to %d; its manifest says %d up to %d", count, last, s.Manifest.Records, s.Last)
	}
	return seqs, s.CheckIndex()
}

// CheckIndex reads the index.
func (s *Segment) CheckIndex() error {
	for i, p := range s.Index {
		if _, err := s.block(len(s.Data)+i, p); err != nil {
			return err
		}
	}
	return nil
}

// Path returns the path of a segment in a folder, by the name that the ledger has. The name is that of
// a file in the folder: anything else is refused.
func Path(dir, name string) (string, error) {
	if name == "" || filepath.Base(name) != name || name == "." || name == ".." {
		return "", fmt.Errorf("the ledger names a segment %q, which is not the name of a file", name)
	}
	return filepath.Join(dir, name), nil
}
