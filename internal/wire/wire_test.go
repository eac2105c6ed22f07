package wire

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"
)

func TestFrames(t *testing.T) {
	requests := []*Request{
		{ID: 1, Op: OpLoad, Object: Version, Data: []byte("/usr/lib/module.so"), Params: []uint64{}, PIN: []byte{}, Templates: [][]Attribute{}},
		{ID: 1 << 63, Op: OpSign, Slot: 1<<64 - 1, Object: 2, Mechanism: 3, Params: []uint64{1, 2, 300}, Auth: AuthPIN, Data: bytes.Repeat([]byte{7}, 300),
			PIN: []byte("1234"), Templates: [][]Attribute{{{Type: 1, Value: []byte{0}}}, {}}},
	}
	var stream bytes.Buffer
	for _, q := range requests {
		stream.Write(Frame(q))
	}
	for _, want := range requests {
		got := new(Request)
		if err := Read(&stream, got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("read %+v (%v), want %+v", got, err, want)
		}
	}
	if err := Read(&stream, new(Request)); err != io.EOF {
		t.Errorf("at the end: %v, want io.EOF", err)
	}
}

func TestReadRefuses(t *testing.T) {
	whole := Frame(&Response{ID: 1})
	for name, data := range map[string][]byte{
		"half a length":  whole[:2],
		"half a message": whole[:len(whole)-1],
	} {
		if err := Read(bytes.NewReader(data), new(Response)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Read(bytes.NewReader([]byte{0xff, 0, 0, 0}), new(Response)); err == nil {
		t.Error("a message of 4 GB is read")
	}
	if err := Read(bytes.NewReader([]byte{0, 0, 0, 1, 5}), new(Response)); !errors.Is(err, errMalformed) {
		t.Errorf("a short message: %v", err)
	}
}

func TestUlong(t *testing.T) {
	if n, ok := ParseUlong(Ulong(0xFEDCBA98)); !ok || n != 0xFEDCBA98 {
		t.Errorf("an unsigned long comes back as %#x, %v", n, ok)
	}
	if _, ok := ParseUlong([]byte{1}); ok {
		t.Error("one byte is an unsigned long")
	}
}

// FuzzDecode: what can be read is written as it was.
func FuzzDecode(f *testing.F) {
	f.Add(Frame(&Request{ID: 3, Op: OpFind, Params: []uint64{1}, Templates: [][]Attribute{{{Type: 1, Value: []byte{2}}}}})[4:])
	f.Add(Frame(&Response{ID: 3, Words: "x", Slots: []Slot{{ID: 1, Label: "l", Mechanisms: []uint64{5}}}, Objects: []Object{{Handle: 1}}})[4:])
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, m := range []message{new(Request), new(Response)} {
			if m.Decode(data) == nil && !bytes.Equal(m.AppendTo(nil), data) {
				t.Fatalf("%x is read as %+v, which is written as %x", data, m, m.AppendTo(nil))
			}
		}
	})
}
