package wire

import (
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"strconv"
)

// message is a Request or a Response.
type message interface {
	AppendTo(b []byte) []byte
	Decode(data []byte) error
}

// Frame returns the message as it is written. A request may hold a PIN: clear it after use.
func Frame(m message) []byte {
	b := m.AppendTo(make([]byte, 4, 256))
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// Read reads the next frame into m. It returns io.EOF at the end of the stream, and
// io.ErrUnexpectedEOF within a frame.
func Read(r io.Reader, m message) error {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > MaxFrame {
		return fmt.Errorf("a message of %d bytes; %d are the most", n, MaxFrame)
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(r, data); err != nil {
		return fmt.Errorf("within a message: %w", io.ErrUnexpectedEOF)
	}
	return m.Decode(data)
}

// Ulong returns the bytes of a CK_ULONG in an attribute, which are as C has them on this
// machine: both ends run on it. PKCS#11 v2.40, section 2.1: an unsigned long.
func Ulong(n uint64) []byte {
	if ulongSize() == 4 {
		return binary.NativeEndian.AppendUint32(nil, uint32(n))
	}
	return binary.NativeEndian.AppendUint64(nil, n)
}

// ParseUlong is the inverse of Ulong. ok is false where the value has another size.
func ParseUlong(value []byte) (n uint64, ok bool) {
	switch {
	case len(value) != ulongSize():
		return 0, false
	case len(value) == 4:
		return uint64(binary.NativeEndian.Uint32(value)), true
	}
	return binary.NativeEndian.Uint64(value), true
}

// ulongSize is sizeof(unsigned long): four bytes on Windows, else the size of a pointer.
func ulongSize() int {
	if runtime.GOOS == "windows" {
		return 4
	}
	return strconv.IntSize / 8
}
