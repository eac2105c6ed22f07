package enrollapi

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
)

// RequestID is what an ApprovalRequest is known by: SHA-256 over its profile, and over its key and its
// names as they stand in the part of the PKCS#10 that is signed. Host and server compute it each for
// themselves, and show it to people, who compare.
func RequestID(csr *x509.CertificateRequest, profile string) [sha256.Size]byte {
	b := []byte("kedge request 1\x00")
	for _, part := range [][]byte{[]byte(profile), csr.RawTBSCertificateRequest} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}
