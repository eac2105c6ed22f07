package takeover

import (
	"bytes"
	"strings"
	"testing"
)

// TestBlocks: a block of any kind, and of any size, is found with its label.
func TestBlocks(t *testing.T) {
	t.Parallel()
	large := append([]byte{0x30, 0x83, 0x20, 0, 0}, make([]byte, 2<<20)...)
	const vpn = "OpenVPN Static key V1"
	for _, tt := range []struct{ name, data, label string }{
		{"a certificate", toPEM("CERTIFICATE", []byte{0x30, 0}), "CERTIFICATE"},
		{"a list of 2 MiB", toPEM("X509 CRL", large), "X509 CRL"},
		{"parameters", toPEM("DH PARAMETERS", []byte{0x30, 0}), "PARAMETERS"},
		{"a key of OpenVPN", "-----BEGIN " + vpn + "-----\n" + strings.Repeat("0123456789abcdef0123456789abcdef\n", 16) + "-----END " + vpn + "-----\n", vpn},
		{"of an unknown label", toPEM("FOO", []byte{4, 1, 1}), "FOO"},
		{"a bundle", toPEM("CMS", []byte{0x30, 0}), "PKCS7"},
	} {
		var found []block
		for b := range blocks([]byte("text\n" + tt.data)) {
			found = append(found, b)
		}
		if len(found) != 1 || found[0].label != tt.label || found[0].der == nil || found[0].offset != 5 {
			t.Errorf("%s: %d blocks, the first %q, damaged %t", tt.name, len(found), found[0].label, found[0].der == nil)
		}
	}
}

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
