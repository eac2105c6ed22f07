package signer

import (
	"errors"
	"slices"
	"testing"
	"time"

	"kedge/signer/keyfile"
)

func TestLoad_chooseKey(t *testing.T) {
	root := mint(t, "root", nil, asCA)
	a, b, c := mint(t, "a", root), mint(t, "b", root), mint(t, "c", root)
	keys := func(of ...*minted) (out []byte) {
		for _, m := range of {
			out = append(out, keyPEM(t, m)...)
		}
		return out
	}
	for _, tt := range []struct {
		name        string
		certificate []byte
		key         []byte // nil: in certificate
		want        string // whose identity; empty: none, and several are listed
		listed      int
	}{
		{"the key that fits, first", certPEM(a), keys(a, b), "a", 0},
		{"the key that fits, last", certPEM(b), keys(a, b), "b", 0},
		{"the only pair", slices.Concat(keys(a, b), certPEM(b)), nil, "b", 0},
		{"two pairs", slices.Concat(keys(a, b), certPEM(a, b)), nil, "", 2},
		{"two pairs and a key", slices.Concat(keys(a, b, c), certPEM(a, b)), nil, "", 3},
		{"one key twice", certPEM(a), keys(a, a), "a", 0},
		{"no key that fits", certPEM(c), keys(a, b), "", 2},
		{"one pair and two certificates", slices.Concat(keys(a), certPEM(b, a)), nil, "a", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := Files{Certificate: Bytes("c", tt.certificate), Now: func() time.Time { return noon }}
			if tt.key != nil {
				files.PrivateKey = Bytes("k", tt.key)
			}
			id, err := Load(files)
			if tt.want != "" {
				if err != nil || id.Leaf().Subject.CommonName != tt.want {
					t.Fatalf("got %v, %v", id, err)
				}
				return
			}
			if many, ok := errors.AsType[*ManyKeysError](err); !ok || len(many.Keys) != tt.listed {
				t.Errorf("got %v, %v", id, err)
			}
		})
	}
}

// What cannot be read is said where the certificate that belongs to the key is missing.
func TestKeyMismatchError_unreadable(t *testing.T) {
	err := &KeyMismatchError{Key: "P-256", Subject: "CN=a", CertFile: "f", CertKey: "P-256",
		Unreadable: []string{unreadable{"f", keyfile.Unreadable{Number: 2, Reason: "its serial number is negative"}}.String()}}
	const want = `the P-256 private key does not belong to the certificate "CN=a" in f, which holds another P-256 key; certificate 2 in f cannot be read: its serial number is negative`
	if err.Error() != want {
		t.Errorf("got %s", err)
	}
}
