package takeover

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"kedge/ca"
)

// readCertificates is the second pass: it yields the certificates of all paths.
func (r *reader) readCertificates() error {
	return r.walk(func(f *file) error {
		data, err := f.read()
		if err != nil {
			r.unread(f, err)
			return nil
		}
		switch {
		case !f.isBackup() && (filepath.Base(f.path) == "crlnumber" || isIndex(f.path, data)):
			return nil // already read
		case isPEM(data):
			return r.takeBlocks(f, data, blocks(data))
		}
		return r.readDER(f, data)
	})
}

// takeBlocks takes the certificates of a file, and counts the other blocks.
func (r *reader) takeBlocks(f *file, data []byte, all iter.Seq[block]) error {
	for b := range all {
		switch {
		case strings.HasSuffix(b.label, "PRIVATE KEY"):
			r.sum.Keys++
		case b.der == nil:
			r.skip(Unreadable, f.path, lineAt(data, b.offset), fmt.Sprintf("the block %q is damaged or cut short", b.label))
		case b.label == "CERTIFICATE", b.label == "X509 CERTIFICATE", b.label == "TRUSTED CERTIFICATE":
			if err := r.take(f, firstElement(b.der), func() int { return lineAt(data, b.offset) }); err != nil {
				return err
			}
		case strings.HasSuffix(b.label, "CERTIFICATE REQUEST"):
			r.sum.Requests++
		case b.label == labelCRL: // already read
		case strings.HasSuffix(b.label, "PARAMETERS"), strings.HasSuffix(b.label, "PUBLIC KEY"), strings.HasPrefix(b.label, "OpenVPN Static key"):
			r.sum.Bookkeeping++
		case b.label == "PKCS7", b.label == "CMS":
			r.skip(Other, f.path, lineAt(data, b.offset), `certificates in a PKCS#7 block are not read; take them out with "openssl pkcs7 -print_certs"`)
		default:
			r.skip(Other, f.path, lineAt(data, b.offset), fmt.Sprintf("the block %q is nothing that a CA issues", b.label))
		}
	}
	return nil
}

// firstElement removes what openssl appends to a TRUSTED CERTIFICATE (openssl-x509(1), -trustout).
func firstElement(der []byte) []byte {
	if size, length := header(der); size > 0 && length <= len(der)-size {
		return der[:size+length]
	}
	return der
}

// readDER takes a certificate in DER, or the blocks that package pemread finds in the file, or
// reports what the file is.
func (r *reader) readDER(f *file, data []byte) error {
	_, err := x509.ParseCertificate(data)
	switch {
	case err == nil:
		return r.take(f, data, wholeFile)
	case f.bookkeeping(), len(bytes.TrimSpace(data)) == 0:
		r.sum.Bookkeeping++
		return nil
	case f.isKey(), isKeyDER(data):
		r.sum.Keys++
		return nil
	}
	if all := coated(data); len(all) > 0 {
		return r.takeBlocks(f, nil, slices.Values(all))
	}
	switch {
	case looksLikeCertificate(data): // truncated
		return r.take(f, data, wholeFile)
	case looksLikeCRL(data): // reported before
		return nil
	}
	r.skip(Other, f.path, 0, "neither a certificate nor a list of certificates, in PEM or DER")
	return nil
}

func wholeFile() int { return 0 }

// looksLikeCertificate reports whether DER that crypto/x509 refuses has the form of a certificate
// (RFC 5280, 4.1): version [0], serial number, algorithm, name and validity.
func looksLikeCertificate(data []byte) bool {
	rest := enter(enter(data))
	if len(rest) == 0 || rest[0] != 0xa0 {
		return false
	}
	rest = over(rest)
	if len(rest) == 0 || rest[0] != asn1.TagInteger {
		return false
	}
	rest = enter(over(over(over(rest))))
	return len(rest) > 0 && (rest[0] == asn1.TagUTCTime || rest[0] == asn1.TagGeneralizedTime)
}

// isKeyDER reports whether DER is a private key or a PKCS#12 file: SEQUENCE with a small
// INTEGER first (RFC 5958, 2; RFC 8017, A.1.2; RFC 5915, 3; RFC 7292, 4).
func isKeyDER(data []byte) bool {
	rest := enter(data)
	return len(rest) > 3 && rest[0] == asn1.TagInteger && rest[1] == 1 && rest[2] <= 3
}

// take yields a certificate, if the CA issued it and it is not a duplicate.
func (r *reader) take(f *file, der []byte, line func() int) error {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		r.skip(Unreadable, f.path, line(), `the certificate is damaged, or of a form that kedge-ca does not read; "openssl x509 -text" may show it`)
		return nil
	}
	if err := checkSignature(r.issuer, cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature); err != nil {
		r.skip(Foreign, f.path, line(), fmt.Sprintf("the certificate %q of %q is %v", cert.Subject, cert.Issuer, err))
		return nil
	}
	s, err := newSerial(cert.SerialNumber)
	if err != nil {
		r.skip(Unreadable, f.path, line(), fmt.Sprintf("of the certificate %q %v", cert.Subject, err))
		return nil
	}
	if ca.SameKey(cert.PublicKey, r.issuer.PublicKey) {
		r.addOwn(cert, s)
		return nil
	}
	if before, ok := r.taken[s]; ok {
		if before == fingerprintOf(der) {
			r.sum.Duplicates++
		} else {
			r.skip(Clash, f.path, line(), fmt.Sprintf("the certificate %q has the serial number %s of another that was taken, so that this one is not", cert.Subject, s))
		}
		return nil
	}
	r.taken[s] = fingerprintOf(der)
	return r.hand(cert, s, f.path)
}

// addOwn keeps a certificate of the CA itself, which is not one that it issued. A leaf may have the
// same serial number, if the CA had another name then.
func (r *reader) addOwn(cert *x509.Certificate, s serial) {
	r.own[s] = true
	if !slices.ContainsFunc(slices.Concat(r.src.CA, r.sum.Own), cert.Equal) {
		r.sum.Own = append(r.sum.Own, cert)
	}
}

func (r *reader) hand(cert *x509.Certificate, s serial, from string) error {
	r.sum.Certificates++
	revoked := r.public(r.revoked[s])
	if revoked != nil {
		r.sum.Revoked++
	}
	return r.yield(Item{Certificate: cert, Serial: cert.SerialNumber, NotAfter: cert.NotAfter, Revoked: revoked, From: from})
}
