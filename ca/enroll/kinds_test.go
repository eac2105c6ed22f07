package enroll

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient"
	"kedge/internal/hostdir"
	"kedge/internal/keys"
	"kedge/internal/testenv"
)

// TestKinds: hosts with keys of every kind, in files, in a TPM and on a token, enroll and renew through
// nginx, which ends TLS; also after their certificates have expired, within the grace, and after a
// whole rotation of the root during which they were off.
func TestKinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	terms := *w.server.terms.Load()
	terms.Names = []string{"127.0.0.1"}
	w.server.SetTerms(&terms)
	w.must(w.server.RenewCertificate(t.Context()))
	front := w.startFront()
	front.startNginx()
	fleet := map[string]*member{}
	for kind, k := range kinds(t) {
		fleet[kind] = w.enrollKind(front.url(), kind, k)
	}
	w.wait(19 * time.Hour)
	renewAll(t, "when it is due", fleet)
	w.wait(4 * dayLong)
	w.must(w.server.RenewCertificate(t.Context()))
	renewAll(t, "after it has expired", fleet)
	w.rotate(func() { w.must(w.server.RenewCertificate(t.Context())) })
	w.wait(3 * dayLong)
	front.startNginx() // as an operator renews its certificate
	renewAll(t, "after a rotation", fleet)
	for kind, h := range fleet {
		if err := h.leaf.CheckSignatureFrom(w.root()); err != nil {
			t.Errorf("%s: the certificate is not of the new root: %v", kind, err)
		}
	}
	w.verified()
}

// kinds are the keys of hosts.
func kinds(t *testing.T) map[string]enrollclient.Keys {
	t.Helper()
	all := map[string]enrollclient.Keys{}
	for _, kind := range []string{"P-256", "P-384", "P-521", "RSA-2048", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"} {
		all[kind] = keysOf(enrollapi.InFile, "", kind, keys.Options{})
	}
	chip := keys.Options{Device: testenv.Swtpm(t).Device}
	all["P-256 in a TPM"] = keysOf(enrollapi.InTPM, keys.AnyTPM, "P-256", chip)
	all["RSA-2048 in a TPM"] = keysOf(enrollapi.InTPM, keys.AnyTPM, "RSA-2048", chip)
	hsm := testenv.NewSoftHSM(t)
	hsm.InitToken(t, "kedge")
	token := keys.Options{
		Library: hsm.Module, Helper: testenv.PKCS11Helper(t), Environment: hsm.Environment(), PIN: func() ([]byte, error) { return []byte("1234"), nil },
	}
	for _, kind := range []string{"P-256", "P-384", "RSA-2048"} {
		all[kind+" on a token"] = keysOf(enrollapi.InPKCS11, "pkcs11:token=kedge;object="+kind, kind, token)
	}
	return all
}

// keysOf makes and opens keys as package hostkeys does.
func keysOf(place, uri, kind string, o keys.Options) enrollclient.Keys {
	k := enrollclient.Keys{Place: place, Type: kind}
	if place == enrollapi.InPKCS11 {
		k.URI = uri
	}
	k.Create = func(ctx context.Context, path string) error {
		_, err := keys.Create(ctx, uri, keys.CreateOptions{Options: o, Type: kind, Out: path})
		return err
	}
	k.Open = func(ctx context.Context, name string) (enrollclient.Key, error) {
		key, err := keys.Open(ctx, name, o)
		if keys.IsMissing(err) && k.URI != "" {
			if err := k.Create(ctx, ""); err != nil {
				return nil, err
			}
			return keys.Open(ctx, name, o)
		}
		return key, err
	}
	return k
}

// member is a host with its folder.
type member struct {
	w    *world
	dir  string
	keys enrollclient.Keys
	leaf *x509.Certificate
}

func (w *world) connection() enrollclient.Connection {
	return enrollclient.Connection{Now: w.now, Version: "1.2.3"}
}

// enrollKind enrolls a host.
func (w *world) enrollKind(url, kind string, k enrollclient.Keys) *member {
	w.t.Helper()
	name := strings.ToLower(strings.ReplaceAll(kind, " ", "-"))
	token, err := enrollapi.NewToken(url, pin(w.root()), false)
	w.must(err)
	w.must(w.service.AddTokens(w.t.Context(), []ledger.Token{{
		ID: token.ID[:], SecretHash: token.Secret.Hash(), Names: []string{name}, Profile: "workload", Uses: 1, Expires: w.now().Add(time.Hour), At: w.now(),
	}}))
	h := &member{w: w, dir: filepath.Join(w.t.TempDir(), name), keys: k}
	got, err := enrollclient.Enroll(w.t.Context(), enrollclient.Enrolling{Connection: w.connection(), Token: token, Name: name, Dir: h.dir, Keys: k})
	if err != nil {
		w.t.Fatalf("%s: %v", kind, err)
	}
	if h.leaf = got.Pair.Leaf; ca.KeyType(h.leaf.PublicKey) != k.Type {
		w.t.Errorf("%s: the key is %s", kind, ca.KeyType(h.leaf.PublicKey))
	}
	return h
}

// renewAll renews the certificates of hosts. Keys in files are replaced, those in hardware stay.
func renewAll(t *testing.T, when string, fleet map[string]*member) {
	t.Helper()
	for kind, h := range fleet {
		got, err := enrollclient.Renew(t.Context(), enrollclient.Renewing{
			Connection: h.w.connection(), Dir: h.dir, Keys: func(hostdir.Record) (enrollclient.Keys, error) { return h.keys, nil },
		})
		if err != nil || !got.Done {
			t.Fatalf("%s, %s: %+v, %v", kind, when, got, err)
		}
		stays := ca.SameKey(got.Pair.Leaf.PublicKey, h.leaf.PublicKey)
		if stays != (h.keys.Place != enrollapi.InFile) || got.Pair.Leaf.Equal(h.leaf) {
			t.Errorf("%s, %s: the key stays: %v", kind, when, stays)
		}
		h.leaf = got.Pair.Leaf
	}
}

// front is an address of hosts, which leads to one nginx after the other, and through it to the server.
type front struct {
	w       *world
	address net.Addr
	server  string
	nginx   atomic.Pointer[string] // its socket
}

func (f *front) url() string { return "https://" + f.address.String() }

// startFront starts the server.
func (w *world) startFront() *front {
	w.t.Helper()
	var listeners []net.Listener
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		w.must(err)
		listeners = append(listeners, l)
	}
	f := &front{w: w, address: listeners[0].Addr(), server: listeners[1].Addr().String()}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.server.Serve(ctx, time.Minute, listeners[1]) }()
	go f.forward(listeners[0])
	w.t.Cleanup(func() {
		listeners[0].Close()
		stop()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	})
	return f
}

// forward carries connections to nginx, until the listener is closed.
func (f *front) forward(l net.Listener) {
	for {
		from, err := l.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("unix", *f.nginx.Load())
		if err != nil {
			from.Close()
			continue
		}
		go func() { _, _ = io.Copy(to, from); to.Close() }()
		go func() { _, _ = io.Copy(from, to); from.Close() }()
	}
}

const frontConf = `
daemon off;
user root;
pid nginx.pid;
error_log stderr;
events {}
http {
	access_log off;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
	server {
		listen unix:SOCKET ssl;
		ssl_certificate front.pem;
		ssl_certificate_key front.pem;
		location / { proxy_pass https://SERVER; proxy_pass_header Date; }
	}
}
`

// startNginx starts nginx with the server's certificate of this moment, and the key of that.
func (f *front) startNginx() {
	t := f.w.t
	t.Helper()
	dir, err := os.MkdirTemp("", "kedge") // t.TempDir may be too long for a socket
	f.w.must(err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	f.w.must(os.WriteFile(filepath.Join(dir, "front.pem"), f.certificate(), 0o600))
	conf := strings.NewReplacer("SOCKET", socket, "SERVER", f.server).Replace(frontConf)
	f.w.must(os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(conf), 0o600))
	var said strings.Builder
	cmd := exec.Command(testenv.Tool(t, "nginx"), "-p", dir, "-c", "nginx.conf")
	cmd.Stderr = &said
	f.w.must(cmd.Start())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); <-ended })
	for {
		if c, err := net.Dial("unix", socket); err == nil {
			c.Close()
			f.nginx.Store(&socket)
			return
		}
		select {
		case <-ended:
			t.Fatalf("nginx ended:\n%s", &said)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// certificate returns the server's certificate with its chain and key, in PEM.
func (f *front) certificate() []byte {
	own := f.w.server.certificate.Load()
	key, ok := own.tls.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		f.w.t.Fatalf("a key of type %T", own.tls.PrivateKey)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	f.w.must(err)
	blocks := slices.Concat(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	for _, cert := range own.tls.Certificate {
		blocks = append(blocks, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})...)
	}
	return blocks
}
