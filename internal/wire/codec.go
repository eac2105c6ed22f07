package wire

import (
	"encoding/binary"
	"errors"
)

// errMalformed reports that a frame is not what its reader expects.
var errMalformed = errors.New("malformed message")

// AppendTo appends the message to b.
func (r *Request) AppendTo(b []byte) []byte {
	for _, n := range []uint64{r.ID, uint64(r.Op), r.Slot, r.Object, r.Mechanism} {
		b = binary.AppendUvarint(b, n)
	}
	b = appendNumbers(b, r.Params)
	b = binary.AppendUvarint(b, uint64(r.Auth))
	b = appendBytes(b, r.Data)
	b = appendBytes(b, r.PIN)
	b = binary.AppendUvarint(b, uint64(len(r.Templates)))
	for _, t := range r.Templates {
		b = appendAttributes(b, t)
	}
	return b
}

// Decode reads a message; its byte strings share the memory of data.
func (r *Request) Decode(data []byte) error {
	d := decoder{data: data}
	r.ID, r.Op, r.Slot, r.Object, r.Mechanism = d.number(), Op(d.number()), d.number(), d.number(), d.number()
	r.Params = d.numbers()
	r.Auth = Auth(d.number())
	r.Data, r.PIN = d.bytes(), d.bytes()
	r.Templates = make([][]Attribute, d.length())
	for i := range r.Templates {
		r.Templates[i] = d.attributes()
	}
	return d.end()
}

// AppendTo appends the message to b.
func (r *Response) AppendTo(b []byte) []byte {
	b = binary.AppendUvarint(b, r.ID)
	b = binary.AppendUvarint(b, r.Code)
	b = appendBytes(b, r.Call)
	b = appendBytes(b, r.Words)
	b = appendBytes(b, r.Data)
	b = appendBytes(b, r.Library.Manufacturer)
	b = appendBytes(b, r.Library.Description)
	b = binary.AppendUvarint(b, r.Library.Major)
	b = binary.AppendUvarint(b, r.Library.Minor)
	b = binary.AppendUvarint(b, uint64(len(r.Slots)))
	for _, s := range r.Slots {
		b = s.appendTo(b)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Objects)))
	for _, o := range r.Objects {
		b = binary.AppendUvarint(b, o.Handle)
		b = appendAttributes(b, o.Attributes)
	}
	return b
}

// Decode reads a message; its byte strings share the memory of data.
func (r *Response) Decode(data []byte) error {
	d := decoder{data: data}
	r.ID, r.Code = d.number(), d.number()
	r.Call, r.Words, r.Data = string(d.bytes()), string(d.bytes()), d.bytes()
	r.Library = Library{Manufacturer: string(d.bytes()), Description: string(d.bytes()), Major: d.number(), Minor: d.number()}
	r.Slots = make([]Slot, d.length())
	for i := range r.Slots {
		r.Slots[i].decode(&d)
	}
	r.Objects = make([]Object, d.length())
	for i := range r.Objects {
		r.Objects[i] = Object{Handle: d.number(), Attributes: d.attributes()}
	}
	return d.end()
}

func (s *Slot) texts() []*string {
	return []*string{&s.Description, &s.Manufacturer, &s.Label, &s.TokenManufacturer, &s.Model, &s.Serial}
}

func (s *Slot) appendTo(b []byte) []byte {
	b = binary.AppendUvarint(b, s.ID)
	for _, text := range s.texts() {
		b = appendBytes(b, *text)
	}
	b = binary.AppendUvarint(b, s.Flags)
	b = binary.AppendUvarint(b, s.MaxSessions)
	return appendNumbers(b, s.Mechanisms)
}

func (s *Slot) decode(d *decoder) {
	s.ID = d.number()
	for _, text := range s.texts() {
		*text = string(d.bytes())
	}
	s.Flags, s.MaxSessions, s.Mechanisms = d.number(), d.number(), d.numbers()
}

func appendBytes[T string | []byte](b []byte, value T) []byte {
	b = binary.AppendUvarint(b, uint64(len(value)))
	return append(b, value...)
}

func appendNumbers(b []byte, numbers []uint64) []byte {
	b = binary.AppendUvarint(b, uint64(len(numbers)))
	for _, n := range numbers {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

func appendAttributes(b []byte, attributes []Attribute) []byte {
	b = binary.AppendUvarint(b, uint64(len(attributes)))
	for _, a := range attributes {
		b = binary.AppendUvarint(b, a.Type)
		b = appendBytes(b, a.Value)
	}
	return b
}

// decoder reads from data until something is wrong, and returns zeros from then on.
type decoder struct {
	data []byte
	bad  bool
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.data)
	if size <= 0 || size > 1 && d.data[size-1] == 0 { // one encoding for each number
		d.bad, d.data = true, nil
		return 0
	}
	d.data = d.data[size:]
	return n
}

// length reads the length of a list or string. No element is shorter than a byte.
func (d *decoder) length() int {
	n := d.number()
	if n > uint64(len(d.data)) {
		d.bad, d.data = true, nil
		return 0
	}
	return int(n)
}

func (d *decoder) bytes() []byte {
	n := d.length()
	value := d.data[:n:n]
	d.data = d.data[n:]
	return value
}

func (d *decoder) numbers() []uint64 {
	numbers := make([]uint64, d.length())
	for i := range numbers {
		numbers[i] = d.number()
	}
	return numbers
}

func (d *decoder) attributes() []Attribute {
	attributes := make([]Attribute, d.length())
	for i := range attributes {
		attributes[i] = Attribute{Type: d.number(), Value: d.bytes()}
	}
	return attributes
}

func (d *decoder) end() error {
	if d.bad || len(d.data) > 0 {
		return errMalformed
	}
	return nil
}
