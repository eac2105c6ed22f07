package keyfile_test

import (
	"crypto/rand"
	"encoding/asn1"
	"math/big"
	"testing"
)

// TestParseHugeKey: a file within the size limit, whose arithmetic would take minutes.
func TestParseHugeKey(t *testing.T) {
	t.Parallel()
	number, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 200_000))
	if err != nil {
		t.Fatal(err)
	}
	number.SetBit(number, 199_999, 1)
	der, err := asn1.Marshal(struct {
		Version             int
		N                   *big.Int
		E                   int
		D, P, Q, Dp, Dq, Qi *big.Int
	}{0, number, 65537, number, number, number, number, number, number})
	if err != nil {
		t.Fatal(err)
	}
	const wantErr = "private key of 175048 bytes, must be at most 16384"
	if err := parseKey(der); err == nil || err.Error() != wantErr {
		t.Errorf("error %v, want %q", err, wantErr)
	}
}
