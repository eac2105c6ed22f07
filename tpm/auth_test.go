package tpm_test

import (
	"bytes"
	"crypto"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/internal/testenv"
	"kedge/tpm"
)

// tap passes a connection to a TPM on, and keeps all bytes that cross it.
type tap struct {
	device string
	mu     sync.Mutex
	wire   bytes.Buffer
}

func newTap(t *testing.T, s *testenv.SwtpmServer) *tap {
	t.Helper()
	p := &tap{}
	p.device = between(t, s, func(client, server net.Conn) {
		go p.pass(server, client)
		p.pass(client, server)
	})
	return p
}

func (p *tap) pass(to, from net.Conn) {
	defer to.Close()
	io.Copy(to, io.TeeReader(from, p))
}

func (p *tap) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wire.Write(b)
}

func (p *tap) contains(s string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Contains(p.wire.Bytes(), []byte(s))
}

// TestWire: no auth value crosses the bus, of key, parent or hierarchy.
func TestWire(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	const keyAuth, parentAuth, ownerAuth = "secret-of-the-key", "secret-of-the-parent", "secret-of-the-owner"
	const sign = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign"
	dir := t.TempDir()
	s.Run(t, dir, "tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-p", parentAuth, "-c", "parent.ctx")
	s.Run(t, dir, "tpm2_evictcontrol", "-Q", "-C", "o", "-c", "parent.ctx", "0x81000030")
	below := func(handle string) []byte {
		s.Run(t, dir, "tpm2_create", "-Q", "-C", handle, "-P", parentAuth, "-G", "ecc256", "-a", sign, "-p", keyAuth, "-u", "k.pub", "-r", "k.priv")
		s.Run(t, dir, "tpm2_encodeobject", "-C", handle, "-P", parentAuth, "-u", "k.pub", "-r", "k.priv", "-o", "k.pem")
		return read(t, dir, "k.pem")
	}
	tests := []struct {
		name   string
		config tpm.Config
	}{
		{"file below a hierarchy", tpm.Config{File: openssl(t, s, "EC", "group:P-256", "user-auth:"+keyAuth)}},
		{"file below a parent with auth", tpm.Config{File: below("0x81000030")}},
		{"handle", tpm.Config{Handle: persist(t, s, 0x81000031, "-G", "ecc256", "-p", keyAuth)}},
	}
	s.Run(t, dir, "tpm2_changeauth", "-c", "owner", ownerAuth)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := newTap(t, s)
			c := test.config
			c.Device, c.KeyAuth, c.ParentAuth, c.OwnerAuth = p.device, secret(keyAuth), secret(parentAuth), secret(ownerAuth)
			key := open(t, c)
			check(t, key, crypto.SHA256)
			check(t, key, crypto.SHA256)
			key.Close()
			for _, auth := range []string{keyAuth, parentAuth, ownerAuth} {
				if p.contains(auth) {
					t.Errorf("%q crossed the bus", auth)
				}
			}
			if command := "\x00\x00\x01\x5d"; !p.contains(command) { // TPM2_Sign
				t.Error("the tap saw nothing")
			}
		})
	}
	if left := s.Transient(t); left != "" {
		t.Errorf("left in the TPM: %s", left)
	}
}

// TestSpareLast: a program that only examines a key does not lock the TPM, even with the right auth value.
func TestSpareLast(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	dir := t.TempDir()
	s.Run(t, dir, "tpm2_dictionarylockout", "-s", "-n", "2", "-t", "7200", "-l", "100")
	file := tools(t, s, []string{"-C", "o", "-G", "ecc"}, []string{"-G", "ecc256", "-p", "right"})
	c := tpm.Config{Device: s.Device, File: file, KeyAuth: secret("right"), SpareLast: true}
	key := open(t, c)
	check(t, key, crypto.SHA256) // nothing was tried wrong yet
	key.Close()
	wrong := open(t, tpm.Config{Device: s.Device, File: file, KeyAuth: secret("wrong")})
	if err := trySign(wrong, crypto.SHA256); err == nil {
		t.Fatal("a wrong auth value signs")
	}
	wrong.Close()
	_, err := tpm.Open(t.Context(), c)
	if untried, ok := errors.AsType[*tpm.AuthError](err); !ok || !untried.Untried || !strings.Contains(err.Error(), "was not tried: there are 1 wrong tries, and the TPM locks after 2") {
		t.Errorf("%v", err)
	}
}

// TestWrongAuth: it is tried once, whatever is called after, and the TPM's counter shows it.
func TestWrongAuth(t *testing.T) {
	t.Parallel()
	s := testenv.Swtpm(t)
	dir := t.TempDir()
	s.Run(t, dir, "tpm2_dictionarylockout", "-s", "-n", "3", "-t", "7200", "-l", "100")
	const sign = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign"
	noDA := []string{"-C", "o", "-G", "ecc", "-a", "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt"}
	file := tools(t, s, noDA, []string{"-G", "ecc256", "-a", sign, "-p", "right"})
	wrong := func() *tpm.Key { return open(t, tpm.Config{Device: s.Device, File: file, KeyAuth: secret("wrong")}) }
	for tries := uint32(1); tries <= 3; tries++ {
		key := wrong()
		for range 3 {
			err := trySign(key, crypto.SHA256)
			refused, ok := errors.AsType[*tpm.AuthError](err)
			if !ok || refused.Of != "key" || !refused.Counted || refused.Tries != tries || refused.Max != 3 || refused.Recovery != 2*time.Hour || refused.Locked {
				t.Fatalf("try %d: %v", tries, err)
			}
		}
		key.Close()
	}
	key := open(t, tpm.Config{Device: s.Device, File: file, KeyAuth: secret("right")})
	err := trySign(key, crypto.SHA256)
	refused, ok := errors.AsType[*tpm.AuthError](err)
	if !ok || !refused.Locked || !strings.Contains(err.Error(), "the TPM is locked after 3 wrong auth values; it forgets one every 2h0m0s") {
		t.Fatalf("locked: %v", err)
	}
	s.Run(t, dir, "tpm2_dictionarylockout", "-c")
	check(t, key, crypto.SHA256) // it is the same key: being locked out is not forever
	key.Close()

	// Nothing that is counted: the key is not protected, the hierarchy never is.
	unprotected := tools(t, s, noDA, []string{"-G", "ecc256", "-a", sign + "|noda", "-p", "right"})
	err = trySign(open(t, tpm.Config{Device: s.Device, File: unprotected, KeyAuth: secret("wrong")}), crypto.SHA256)
	if refused, ok := errors.AsType[*tpm.AuthError](err); !ok || refused.Counted {
		t.Errorf("unprotected key: %v", err)
	}
	s.Run(t, dir, "tpm2_changeauth", "-c", "owner", "right")
	_, err = tpm.Open(t.Context(), tpm.Config{Device: s.Device, File: file, KeyAuth: secret("right"), OwnerAuth: secret("wrong")})
	if refused, ok := errors.AsType[*tpm.AuthError](err); !ok || refused.Of != "owner" || refused.Counted {
		t.Errorf("owner: %v", err)
	}
	if got := s.Run(t, dir, "tpm2_getcap", "properties-variable"); !bytes.Contains(got, []byte("TPM2_PT_LOCKOUT_COUNTER: 0x0\n")) {
		t.Errorf("counted: %s", got)
	}
	if left := s.Transient(t); left != "" {
		t.Errorf("left in the TPM: %s", left)
	}
}
