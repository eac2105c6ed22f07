package takeover

import (
	"bytes"
	"testing"
)

// FuzzBlocks: whatever a file contains, blocks are found in order, nothing hides a valid one that
// follows, and parsing DER terminates.
func FuzzBlocks(f *testing.F) {
	f.Add([]byte(toPEM("CERTIFICATE", []byte{0x30, 0})))
	f.Add([]byte("text\n" + toPEM("X509 CRL", []byte{0x30, 3, 2, 1, 1}) + "-----BEGIN CERTIFICATE-----\nMAA"))
	f.Add([]byte{0x30, 0x82, 0xff, 0xff, 0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x17})
	f.Fuzz(func(t *testing.T, data []byte) {
		last := block{offset: -1}
		whole := append(bytes.Clone(data), "\n"+toPEM("CERTIFICATE", []byte{0x30, 0})...)
		for b := range blocks(whole) {
			if b.offset <= last.offset || !bytes.HasPrefix(whole[b.offset:], []byte("-----BEGIN ")) {
				t.Fatalf("a block at %d after one at %d", b.offset, last.offset)
			}
			last = b
		}
		if last.label != "CERTIFICATE" || !bytes.Equal(last.der, []byte{0x30, 0}) {
			t.Fatalf("the last block is %q, %x", last.label, last.der)
		}
		looksLikeCRL(data)
		looksLikeCertificate(data)
		isKeyDER(data)
		crlsIn(data)
		firstElement(data)
	})
}
