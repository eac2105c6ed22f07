package certinfo

import (
	"crypto/x509"
	"math/big"
	"strings"
	"testing"
)

// TestInWords: a serial number has an even number of digits, as AWS shows it.
func TestInWords(t *testing.T) {
	t.Parallel()
	for number, want := range map[int64]string{0xabc: "serial 0abc,", 0xabcd: "serial abcd,", 0: "serial 00,"} {
		cert := &x509.Certificate{SerialNumber: big.NewInt(number)}
		if text := InWords("web-01", cert); !strings.HasPrefix(text, `"web-01", `+want) {
			t.Errorf("%x: %s", number, text)
		}
	}
}
