package keyfile_test

import (
	"bytes"
	"strings"
	"testing"

	"kedge/signer/keyfile"
)

// TestUnreadable: a certificate that cannot be read is passed over, with its number, and no words of
// a parser.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	f := newFixtures(t)
	printable := bytes.Replace(f.certDER, []byte{0x0c, 1, 'a'}, []byte{0x13, 1, '_'}, 1)
	serial := bytes.Clone(f.certDER)
	serial[bytes.Index(serial, []byte{0xa0, 3, 2, 1, 2, 2})+7] = 0xee
	version := bytes.Replace(f.certDER, []byte{0xa0, 3, 2, 1, 2}, []byte{0xa0, 3, 2, 1, 9}, 1)
	explicit := f.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit", "-nodes", "-keyout", "x.key", "-subj", "/CN=x")
	k1 := f.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1", "-nodes", "-keyout", "y.key", "-subj", "/CN=y")
	for _, tt := range []struct {
		name string
		bad  []byte
		want string
	}{
		{"PrintableString", block("CERTIFICATE", printable), "PrintableString with '_' in CN"},
		{"negative serial", block("CERTIFICATE", serial), "its serial number is negative"},
		{"version", block("CERTIFICATE", version), "its version is none that RFC 5280 has"},
		{"explicit curve", explicit, "it is for an EC key with its curve spelled out"},
		{"another curve", k1, "it is for an EC key on the curve 1.3.132.0.10"},
	} {
		found, err := keyfile.Parse(join(f.cert, tt.bad, f.key), nil)
		if err != nil || len(found.Certificates) != 1 || len(found.Unreadable) != 1 || found.Unreadable[0].Number != 2 || !strings.HasPrefix(found.Unreadable[0].Reason, tt.want) {
			t.Errorf("%s: %+v, %v", tt.name, found, err)
		}
		if err := parseCerts(tt.bad); err == nil || !strings.HasPrefix(err.Error(), "the certificate in it cannot be read: "+tt.want) || strings.Contains(err.Error(), "x509:") {
			t.Errorf("%s alone: %v", tt.name, err)
		}
	}
}
