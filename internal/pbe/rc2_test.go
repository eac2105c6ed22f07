package pbe

import (
	"encoding/hex"
	"testing"
)

// TestRC2 has those vectors of RFC 2268 5 whose effective bits are the key's.
func TestRC2(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ key, plain, sealed string }{
		{"ffffffffffffffff", "ffffffffffffffff", "278b27e42e2f0d49"},
		{"3000000000000000", "1000000000000001", "30649edf9be7d2c2"},
		{"88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "2269552ab0f85ca6"},
	} {
		key, err := hex.DecodeString(tt.key)
		if err != nil {
			t.Fatal(err)
		}
		block, err := hex.DecodeString(tt.sealed)
		if err != nil {
			t.Fatal(err)
		}
		newRC2(key).Decrypt(block, block)
		if got := hex.EncodeToString(block); got != tt.plain {
			t.Errorf("key %s: %s, want %s", tt.key, got, tt.plain)
		}
	}
}
