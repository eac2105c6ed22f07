package main

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/ca"
	"kedge/internal/atomicfile"
	"kedge/internal/cadir"
	"kedge/internal/emulator"
	"kedge/internal/hostfiles"
)

// TestService: what the two commands make is accepted, below the root and below as many
// intermediates as hosts can send; one more is refused before anything is signed.
func TestService(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	hosts := x.mkdir("hosts")
	x.run("init", "--no-password")
	x.run("issue", "web-0", "--out", hosts)
	x.register()
	x.accepted("no intermediate", "hosts", "web-0")
	parent := "ca"
	for depth := 1; depth <= 5; depth++ {
		name := fmt.Sprintf("level-%d", depth)
		x.run("intermediate", name, "--parent", parent, "--path-length", "-1", "--no-password")
		host := fmt.Sprintf("web-%d", depth)
		x.run("issue", host, "--out", hosts)
		x.accepted(name, "hosts", host)
		parent = name
	}
	before := x.run("list", "--csv")
	x.refuses("a host can send 5 at most", "intermediate", "level-6", "--parent", parent, "--no-password")
	if after := x.run("list", "--csv"); after != before || !strings.Contains(after, "level-5") || exist(t, x.path("ca/level-6.key")) {
		t.Errorf("the refused intermediate left something behind:\n%s", after)
	}
	x.accepted("after all", "hosts", "web-0", "web-1", "web-2", "web-5")
}

// TestService_offlineRoot: only the request and certificates travel.
func TestService_offlineRoot(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	hosts, offline, post := x.mkdir("hosts"), x.path("offline"), x.mkdir("post")
	x.run("init", "--dir", offline, "--no-password")
	x.run("intermediate", "issuing-1", "--csr", "--no-password")
	x.run("intermediate", "--dir", offline, "--from", x.path("ca/issuing-1.csr"), "--out", filepath.Join(post, "issuing-1.pem"))
	x.run("intermediate", "issuing-1", "--certificate", filepath.Join(post, "issuing-1.pem"), "--root", filepath.Join(offline, "ca.pem"))
	if exist(t, x.path("ca/ca.key")) {
		t.Error("the key of the root is online")
	}
	x.run("issue", "web-01", "--out", hosts)
	x.register()
	x.accepted("offline root", "hosts", "web-01")

	// A second one below it, whose parent's key is here.
	x.refuses("allows no further CA below", "intermediate", "below", "--parent", "issuing-1", "--no-password")
	x.run("intermediate", "middle", "--csr", "--no-password")
	x.run("intermediate", "--dir", offline, "--from", x.path("ca/middle.csr"), "--out", filepath.Join(post, "middle.pem"), "--path-length", "1")
	x.run("intermediate", "middle", "--certificate", filepath.Join(post, "middle.pem"), "--root", filepath.Join(offline, "ca.pem"))
	x.run("intermediate", "below", "--parent", "middle", "--no-password")
	x.run("issue", "web-02", "--out", hosts)
	x.accepted("below it", "hosts", "web-01", "web-02")
}

// TestService_pairs issues with each type of CA key for each type of leaf key. A root with a key
// ML-DSA-87 is too large for a trust anchor, so that one is an intermediate. Each key is generated
// once: issue resumes with an existing key.
func TestService_pairs(t *testing.T) {
	t.Parallel()
	kinds := []string{"P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"}
	keys := map[string][]byte{}
	public := map[string]crypto.PublicKey{}
	for _, kind := range kinds {
		k, err := parseKeyKind(kind, "seed")
		if err != nil {
			t.Fatal(err)
		}
		key, der, err := k.Generate()
		if err != nil {
			t.Fatal(err)
		}
		keys[kind], public[kind] = hostfiles.KeyPEM(der), key.Public()
	}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			x := newRehearsal(t)
			hosts := x.mkdir("hosts")
			issuing := "ca/ca.pem"
			if kind == "ML-DSA-87" {
				x.run("init", "--no-password")
				x.run("intermediate", "large", "--key-type", kind, "--no-password")
				issuing = "ca/large.pem"
			} else {
				x.run("init", "--key-type", kind, "--no-password")
			}
			x.register()
			cert, err := cadir.ReadCertificate(x.path(issuing))
			if err != nil || cert.PublicKeyAlgorithm == x509.UnknownPublicKeyAlgorithm {
				t.Fatalf("the CA: %v", err)
			}
			for _, leafKind := range kinds {
				name := "leaf-" + leafKind
				if err := atomicfile.Create(filepath.Join(hosts, name+".key"), keys[leafKind], 0o600); err != nil {
					t.Fatal(err)
				}
				x.run("issue", name, "--out", hosts)
				leaf, err := cadir.ReadCertificate(filepath.Join(hosts, name+".pem"))
				if err != nil || !ca.SameKey(leaf.PublicKey, public[leafKind]) {
					t.Errorf("%s: another key: %v", name, err)
				}
				x.accepted("by "+kind, "hosts", name)
			}
		})
	}
}

// TestService_largeRoot: the intermediate is the trust anchor where the root cannot be.
func TestService_largeRoot(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	hosts := x.mkdir("hosts")
	x.run("init", "--key-type", "ML-DSA-87", "--no-password", "--allow", "anchor-size")
	x.run("intermediate", "issuing-1", "--key-type", "P-384", "--no-password")
	x.run("issue", "web-01", "--key-type", "ML-DSA-87", "--out", hosts)
	x.refuses("a trust anchor takes 8000 at most", "bundle")
	x.registerAs(emulator.TrustAnchor{Certificates: []byte(x.run("bundle", "--authority", "issuing-1"))})
	x.accepted("anchored at the intermediate", "hosts", "web-01")
}

func exist(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Lstat(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return err == nil
}
