package takeover

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"slices"
	"strings"

	"kedge/ca"
	"kedge/internal/pemread"
)

// readCRLs reads the CRLs that the operator named. Each must be one of the CA's.
func (r *reader) readCRLs() error {
	for _, path := range r.src.CRL {
		f, err := openNamed(path)
		if err != nil {
			return err
		}
		if r.known[f.id()] {
			continue
		}
		r.known[f.id()] = true
		data, err := f.read()
		if err != nil {
			return &Error{path, err.Error(), err}
		}
		lists := crlsIn(data)
		if len(lists) == 0 {
			return &Error{path, noCRL(data), nil}
		}
		for _, der := range lists {
			list, err := r.parseCRL(der)
			if err != nil {
				return &Error{path, err.Error(), nil}
			}
			r.addCRL(path, list)
		}
	}
	return nil
}

// noCRL describes a file that holds no CRL.
func noCRL(data []byte) string {
	blocks, err := pemread.Blocks(data, pemread.Options{MaxSize: max(len(data), 1)})
	if err != nil {
		return "there is no CRL in it: " + err.Error()
	}
	return fmt.Sprintf("there is %s in it, not a CRL", blocks[0])
}

// crlsIn returns the CRLs of a file; nil stands for a damaged block.
func crlsIn(data []byte) [][]byte {
	if !isPEM(data) {
		if _, err := x509.ParseRevocationList(data); err == nil || looksLikeCRL(data) {
			return [][]byte{data}
		}
		return listsOf(slices.Values(coated(data)))
	}
	return listsOf(blocks(data))
}

func listsOf(all iter.Seq[block]) [][]byte {
	var lists [][]byte
	for b := range all {
		if b.label == labelCRL {
			lists = append(lists, b.der)
		}
	}
	return lists
}

const labelCRL = "X509 CRL" // RFC 7468, 6

// looksLikeCRL reports whether DER that crypto/x509 refuses begins like a CRL, so that a truncated
// CRL is not reported as a file of unknown kind. A CRL begins with an optional version 2, an
// algorithm, a name and a time (RFC 5280, 5.1).
func looksLikeCRL(data []byte) bool {
	rest := enter(enter(data))
	if len(rest) > 2 && rest[0] == asn1.TagInteger {
		rest = over(rest)
	}
	rest = over(over(rest))
	return len(rest) > 0 && (rest[0] == asn1.TagUTCTime || rest[0] == asn1.TagGeneralizedTime)
}

// enter returns the data after the header of a SEQUENCE, even if it is truncated.
func enter(der []byte) []byte {
	size, _ := header(der)
	if size == 0 || der[0] != 0x30 {
		return nil
	}
	return der[size:]
}

// over returns the data after an element.
func over(der []byte) []byte {
	size, length := header(der)
	if size == 0 || length > len(der)-size {
		return nil
	}
	return der[size+length:]
}

// header reads a tag and a length in DER; size is 0 if there is none.
func header(der []byte) (size, length int) {
	if len(der) < 2 {
		return 0, 0
	}
	if der[1] < 0x80 {
		return 2, int(der[1])
	}
	n := int(der[1] & 0x7f)
	if n == 0 || n > 4 || len(der) < 2+n {
		return 0, 0
	}
	for _, b := range der[2 : 2+n] {
		length = length<<8 | int(b)
	}
	if length < 0 || length > maxSize { // int may have 32 bits
		return 0, 0
	}
	return 2 + n, length
}

// parseCRL parses a CRL and checks that it is complete and that the CA signed it.
func (r *reader) parseCRL(der []byte) (*x509.RevocationList, error) {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, errors.New("the CRL is damaged or cut short")
	}
	if err := checkSignature(r.issuer, list.SignatureAlgorithm, list.RawTBSRevocationList, list.Signature); err != nil {
		return nil, fmt.Errorf("the CRL is of %q, and %w", list.Issuer, err)
	}
	for _, e := range list.Extensions {
		switch {
		case e.Id.Equal(oidDeltaCRLIndicator):
			return nil, errors.New("it is a delta CRL, which holds only what changed; give the complete one")
		case e.Id.Equal(oidIssuingDistributionPoint) && isIndirect(e.Value):
			return nil, errors.New("it is an indirect CRL, which lists certificates of several CAs; give one of this CA")
		}
	}
	return list, nil
}

// isIndirect reads indirectCRL, [4], of an issuing distribution point (RFC 5280, 5.2.5).
func isIndirect(value []byte) bool {
	var fields []asn1.RawValue
	if _, err := asn1.Unmarshal(value, &fields); err != nil {
		return true
	}
	return slices.ContainsFunc(fields, func(f asn1.RawValue) bool {
		return f.Class == asn1.ClassContextSpecific && f.Tag == 4 && len(f.Bytes) == 1 && f.Bytes[0] != 0
	})
}

var (
	oidDeltaCRLIndicator        = asn1.ObjectIdentifier{2, 5, 29, 27} // RFC 5280, 5.2.4
	oidIssuingDistributionPoint = asn1.ObjectIdentifier{2, 5, 29, 28} // RFC 5280, 5.2.5
)

// addCRL adds the entries and the number of a CRL.
func (r *reader) addCRL(path string, list *x509.RevocationList) {
	r.sum.CRLs++
	if !slices.ContainsFunc(r.sum.Lists, func(l List) bool { return bytes.Equal(l.CRL.Raw, list.Raw) }) {
		r.sum.Lists = append(r.sum.Lists, List{path, list})
	}
	r.useNumber(list.Number)
	at := place{file: r.addFile(path)}
	for _, e := range list.RevokedCertificateEntries {
		s, err := newSerial(e.SerialNumber)
		if err != nil {
			r.skip(Faulty, path, 0, "of an entry of the CRL "+err.Error())
			continue
		}
		n := revocation{at: e.RevocationTime.Unix(), reason: ca.Reason(e.ReasonCode), place: at}
		if n.reason == ca.RemoveFromCRL || !slices.Contains(ca.Reasons(), n.reason) {
			r.skip(Doubt, path, 0, fmt.Sprintf("of the certificate %s: the reason %d is none that a complete CRL can give; it is taken as revoked without a reason", s, e.ReasonCode))
			n.reason = ca.Unspecified
		}
		r.revoke(s, n)
	}
}

// useNumber keeps the highest CRL number.
func (r *reader) useNumber(n *big.Int) {
	if n != nil && n.Sign() > 0 && (r.sum.CRLNumber == nil || n.Cmp(r.sum.CRLNumber) > 0) {
		r.sum.CRLNumber = n
	}
}

// readCRLNumber reads openssl's file crlnumber: the number of the next CRL, in hexadecimal.
func (r *reader) readCRLNumber(path string, data []byte) {
	s, err := parseSerial(strings.TrimSpace(string(data[:min(len(data), 100)])))
	if err != nil {
		r.skip(Faulty, path, 0, "the number of the next CRL cannot be read")
		return
	}
	r.useNumber(new(big.Int).Sub(s.big(), big.NewInt(1)))
}
