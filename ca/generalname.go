package ca

import (
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// generalName is a GeneralName of RFC 5280, 4.2.1.6.
type generalName struct {
	number int // of its tag
	value  cryptobyte.String
}

// The general names that profiles support.
const (
	nameEmail = 1
	nameDNS   = 2
	nameURI   = 6
	nameIP    = 7
)

var errSANForm = errors.New("the extension subjectAltName cannot be read")

// readSAN parses the extension subjectAltName.
func readSAN(der []byte) ([]generalName, error) {
	in := cryptobyte.String(der)
	if !in.ReadASN1(&in, cbasn1.SEQUENCE) {
		return nil, errSANForm
	}
	var names []generalName
	for !in.Empty() {
		var n generalName
		var tag cbasn1.Tag
		if !in.ReadAnyASN1(&n.value, &tag) {
			return nil, errSANForm
		}
		n.number = int(tag & 0x1f)
		primitive := cbasn1.Tag(n.number).ContextSpecific()
		if tag != primitive && (n.isKnown() || tag != primitive.Constructed()) {
			return nil, errSANForm
		}
		names = append(names, n)
	}
	return names, nil
}

func (n generalName) isKnown() bool {
	return n.number == nameEmail || n.number == nameDNS || n.number == nameURI || n.number == nameIP
}

// checkSANKinds fails when there are names of other kinds than profiles support.
func checkSANKinds(der []byte) error {
	names, err := readSAN(der)
	if err != nil {
		return err
	}
	for _, n := range names {
		if !n.isKnown() {
			return n.unknown()
		}
	}
	return nil
}

// unknown returns an error that describes a name of another kind.
func (n generalName) unknown() error {
	kinds := []string{"otherName", "", "", "x400Address", "directoryName", "ediPartyName", "", "", "registeredID"}
	if n.number >= len(kinds) {
		return fmt.Errorf("a subject alternative name of the unknown kind %d is not allowed", n.number)
	}
	kind := kinds[n.number]
	if text := n.describe(); text != "" {
		kind += " (" + text + ")"
	}
	return fmt.Errorf("a subject alternative name of the kind %s is not allowed; take DNS names, URIs, IP and email addresses", kind)
}

// describe shows the value of an otherName, a directoryName or a registeredID.
func (n generalName) describe() string {
	switch n.number {
	case 0:
		return describeOther(n.value)
	case 4:
		if name, err := readName(n.value); err == nil && len(name) > 0 {
			return fmt.Sprintf("%q", name.readable().String())
		}
	case 8:
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(n.value) })
		var oid asn1.ObjectIdentifier
		der, err := b.Bytes()
		if in := cryptobyte.String(der); err == nil && in.ReadASN1ObjectIdentifier(&oid) {
			return oid.String()
		}
	}
	return ""
}

// describeOther shows an otherName: Windows writes the user principal name (UPN) into one.
func describeOther(value cryptobyte.String) string {
	var oid asn1.ObjectIdentifier
	var content cryptobyte.String
	var tag cbasn1.Tag
	if !value.ReadASN1ObjectIdentifier(&oid) {
		return ""
	}
	kind := oid.String()
	if kind == "1.3.6.1.4.1.311.20.2.3" {
		kind = "UPN"
	}
	if value.ReadASN1(&value, cbasn1.Tag(0).ContextSpecific().Constructed()) && value.ReadAnyASN1(&content, &tag) {
		if text, problem := readString(tag, content); problem == "" {
			return fmt.Sprintf("%s %q", kind, text)
		}
	}
	return kind
}
