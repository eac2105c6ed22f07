package main

import (
	"errors"
	"os"
	"strings"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/signer/keyfile"
)

func (x *rehearsal) read(name string) []byte {
	x.t.Helper()
	data, err := os.ReadFile(x.path(name))
	if err != nil {
		x.t.Fatal(err)
	}
	return data
}

func (x *rehearsal) write(name string, data []byte) {
	x.t.Helper()
	if err := os.WriteFile(x.path(name), data, 0o600); err != nil {
		x.t.Fatal(err)
	}
}

func (x *rehearsal) remove(name string) {
	x.t.Helper()
	if err := os.Remove(x.path(name)); err != nil {
		x.t.Fatal(err)
	}
}

// back makes the folder of the CA what it was when it was copied.
func (x *rehearsal) back(to string) {
	x.t.Helper()
	if err := os.RemoveAll(x.path("ca")); err != nil {
		x.t.Fatal(err)
	}
	x.copyFolder(to, "ca")
}

// change writes into the ledger what a step that was cut off would have.
func (x *rehearsal) change(f func(*ledger.Ledger) error) {
	x.t.Helper()
	l, err := ledger.Open(x.t.Context(), x.path("ca/ledger.db"), ledger.Options{Now: func() time.Time { return x.now }})
	if err != nil {
		x.t.Fatal(err)
	}
	if err := f(l); err != nil {
		x.t.Error(err)
	}
	if err := l.Close(); err != nil {
		x.t.Fatal(err)
	}
}

// record writes a certificate into the ledger, and no more.
func (x *rehearsal) record(file string) {
	x.t.Helper()
	x.change(func(l *ledger.Ledger) error {
		cert, err := cadir.ReadCertificate(x.path(file))
		if err != nil {
			return err
		}
		issued := ca.Issued{Certificate: cert, At: x.now}
		all, err := l.Authorities(x.t.Context())
		for _, a := range all {
			if string(cert.RawIssuer) != string(cert.RawSubject) && cert.CheckSignatureFrom(a.Certificate) == nil {
				issued.Issuer = a.Certificate
			}
		}
		return errors.Join(err, l.RecordIssued(x.t.Context(), issued))
	})
}

func (x *rehearsal) authority(l *ledger.Ledger, name string) ledger.Authority {
	x.t.Helper()
	all, err := l.Authorities(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	for _, a := range all {
		if a.Name == name {
			return a
		}
	}
	x.t.Fatalf("no authority %s", name)
	return ledger.Authority{}
}

// wantStates compares the authorities, by name, with "NAME STATE [issuing], …".
func (x *rehearsal) wantStates(step, want string) {
	x.t.Helper()
	var got []string
	x.change(func(l *ledger.Ledger) error {
		for part := range strings.SplitSeq(want, ", ") {
			name, _, _ := strings.Cut(part, " ")
			a := x.authority(l, name)
			text := a.Name + " " + a.State
			if a.Issuing {
				text += " issuing"
			}
			got = append(got, text)
		}
		return nil
	})
	if text := strings.Join(got, ", "); text != want {
		x.t.Errorf("%s: %s\nwant %s", step, text, want)
	}
}

func (x *rehearsal) same(step, name string, want []byte) {
	x.t.Helper()
	if got := x.read(name); string(got) != string(want) {
		x.t.Errorf("%s: %s is another file", step, name)
	}
}

// wantKey wants a certificate to be for a key.
func (x *rehearsal) wantKey(step, file string, key []byte) {
	x.t.Helper()
	cert, err := cadir.ReadCertificate(x.path(file))
	if err != nil {
		x.t.Fatal(err)
	}
	want, err := keyfile.ParsePrivateKey(key, nil)
	if err != nil || !ca.SameKey(cert.PublicKey, want.Public()) {
		x.t.Errorf("%s: %s is for another key: %v", step, file, err)
	}
}
