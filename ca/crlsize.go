package ca

import (
	"crypto/x509"
	"errors"
	"math"

	"kedge/internal/pemread"
)

// MaxCRLSize is the maximum size in bytes of a CRL to import, as uploaded: PEM, which is a third
// larger than DER.
//
// Source: IAM Roles Anywhere API Reference, ImportCrl, crlData.
const MaxCRLSize = 300_000

const crlLabel = "X509 CRL" // of its PEM; RFC 7468, 7

// typicalEntry is the DER size of an entry with a serial of 17 bytes and a reason.
const typicalEntry = 50

// CRLSize is the size of a CRL.
type CRLSize struct {
	DER      int     // bytes
	PEM      int     // characters, limited to MaxCRLSize
	Entries  int     // revoked certificates
	PerEntry float64 // average PEM characters of an entry; of a typical one if there are none
}

// TooLarge reports whether Roles Anywhere refuses the CRL.
func (s CRLSize) TooLarge() bool { return s.PEM > MaxCRLSize }

var errNoCRL = errors.New("measure a CRL: it is not one, or is damaged")

// MeasureCRL returns the size of a CRL in DER or PEM. The characters of PEM are counted as they
// are.
func MeasureCRL(data []byte) (CRLSize, error) {
	blocks, err := pemread.Blocks(data, pemread.Options{MaxSize: max(len(data), 1)})
	if err != nil || len(blocks) != 1 {
		return CRLSize{}, errNoCRL
	}
	size := CRLSize{DER: len(blocks[0].DER), PEM: len(data)}
	if blocks[0].Label == "" {
		size.PEM = pemSize(crlLabel, size.DER)
	}
	list, err := x509.ParseRevocationList(blocks[0].DER)
	if err != nil {
		return CRLSize{}, errNoCRL
	}
	size.Entries = len(list.RevokedCertificateEntries)
	total := 0
	for _, e := range list.RevokedCertificateEntries {
		total += len(e.Raw)
	}
	if size.Entries == 0 {
		total = typicalEntry
	}
	const perByte = 4.0 / 3 * (pemLineLength + 1) / pemLineLength
	size.PerEntry = float64(total) / float64(max(1, size.Entries)) * perByte
	return size, nil
}

// CRLForecast estimates how long a CRL will be small enough to be imported.
type CRLForecast struct {
	Room  int     // how many average entries still fit
	Never bool    // it does not grow: Days has no meaning
	Days  float64 // until there is no room; 0 if there is none
}

// ForecastCRL returns when a CRL reaches [MaxCRLSize] if perDay more certificates a day are added
// than expire.
func ForecastCRL(size CRLSize, perDay float64) CRLForecast {
	var f CRLForecast
	if size.PerEntry > 0 {
		f.Room = int(max(0, math.Floor(float64(MaxCRLSize-size.PEM)/size.PerEntry)))
	}
	switch {
	case size.TooLarge():
	case perDay <= 0 || math.IsNaN(perDay):
		f.Never = true
	default:
		f.Days = float64(f.Room) / perDay
	}
	return f
}
