package enroll

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/enrollapi"
	"kedge/internal/est"
)

// oidChallenge is challengePassword (RFC 2985, 5.4.1).
func oidChallenge() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 7} }

// requestWith makes a request with attributes of one type, each with one value: crypto/x509 writes none
// whose value is a string.
func requestWith(t *testing.T, key crypto.Signer, name string, oid asn1.ObjectIdentifier, values ...string) []byte {
	t.Helper()
	plain, err := x509.ParseCertificateRequest(csr(t, key, name))
	if err != nil {
		t.Fatal(err)
	}
	type attribute struct {
		Type   asn1.ObjectIdentifier
		Values []asn1.RawValue `asn1:"set"`
	}
	info := struct {
		Version      int
		Subject, Key asn1.RawValue
		Attributes   []attribute `asn1:"set,tag:0"`
	}{Subject: asn1.RawValue{FullBytes: plain.RawSubject}, Key: asn1.RawValue{FullBytes: plain.RawSubjectPublicKeyInfo}}
	for _, v := range values {
		info.Attributes = append(info.Attributes, attribute{oid, []asn1.RawValue{{Tag: asn1.TagUTF8String, Bytes: []byte(v)}}})
	}
	signed, err := asn1.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(signed)
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	der, err := asn1.Marshal(struct {
		Info      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: signed}, pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}}, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// listening is a server on loopback, over TLS.
type listening struct {
	*world
	address string
	shown   string // the rule of the last decision
}

// listen serves until the test ends.
func (w *world) listen() *listening {
	w.t.Helper()
	w.must(w.server.RenewCertificate(w.t.Context()))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.server.Serve(ctx, time.Second, l) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	})
	return &listening{world: w, address: l.Addr().String()}
}

// client is the configuration of a client of the server.
func (l *listening) client() *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(l.root())
	return &tls.Config{RootCAs: roots, ServerName: "ca.example.com", Time: l.now}
}

// as shows the certificate of a host.
func (h *machine) as(c *tls.Config) *tls.Config {
	c.Certificates = []tls.Certificate{{Certificate: [][]byte{h.leaf.Raw}, PrivateKey: h.key}}
	return c
}

// dial connects.
func (l *listening) dial(c *tls.Config) *tls.Conn {
	l.t.Helper()
	conn, err := tls.Dial("tcp", l.address, c)
	l.must(err)
	l.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// post sends a certificate request on a connection, and returns the status and the text of the answer.
func (l *listening) post(conn net.Conn, path string, der []byte, change ...func(*http.Request)) (int, string) {
	l.t.Helper()
	before := len(l.log.String())
	r, err := http.NewRequest(http.MethodPost, "https://ca.example.com"+path, strings.NewReader(base64.StdEncoding.EncodeToString(der)))
	l.must(err)
	r.Header.Set("Content-Type", est.RequestType)
	for _, c := range change {
		c(r)
	}
	l.must(r.Write(conn))
	response, err := http.ReadResponse(bufio.NewReader(conn), r)
	l.must(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	l.must(err)
	_, l.shown, _ = strings.Cut(l.log.String()[before:], " rule=")
	l.shown, _, _ = strings.Cut(l.shown, " ")
	return response.StatusCode, string(text)
}

// TestEST_connection: on one connection, whose certificate was good when it was made, each request is
// decided by what the ledger has at that moment (CVE-2020-25276).
func TestEST_connection(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			h := w.machine("web-01")
			l := w.listen()
			config := h.as(l.client())
			config.MaxVersion = version
			conn := l.dial(config)
			if got := conn.ConnectionState().Version; got != version {
				t.Fatalf("version %x", got)
			}
			next := csr(t, newKey(t), h.name)
			for range 2 { // the second time is one whose answer was lost
				if status, text := l.post(conn, estReenroll, next); status != http.StatusOK {
					t.Fatalf("%d: %s", status, text)
				}
			}
			if l.shown != "issued-before" {
				t.Errorf("rule %q", l.shown)
			}
			w.revoke(h.leaf, ca.Superseded)
			for path, want := range map[string]int{estReenroll: http.StatusForbidden, estEnroll: http.StatusUnauthorized} {
				if status, text := l.post(conn, path, csr(t, newKey(t), h.name)); status != want || l.shown != "revoked" {
					t.Errorf("%s after it was revoked: %d by %q: %s", path, status, l.shown, text)
				}
			}
		})
	}
}

// TestEST_clientCertificates: a connection is made with any certificate, or none: what it counts for is
// decided for each request. That needs the key: TLS checks the signature.
func TestEST_clientCertificates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h, expired := w.machine("web-01"), w.machine("web-02")
	foreign := newWorld(t).machine("web-01")
	twinned := &machine{w: w, name: h.name}
	twinned.leaf, twinned.key = twin(w, h)
	l := w.listen()
	for _, tt := range []struct {
		name string
		host *machine
		rule string
	}{{"none", nil, "no-certificate"}, {"another CA", foreign, "unknown-certificate"}, {"the serial number of a host", twinned, "unknown-certificate"}, {"a host", h, "issued"}} {
		config := l.client()
		if tt.host != nil {
			config = tt.host.as(config)
		}
		status, text := l.post(l.dial(config), estReenroll, csr(t, newKey(t), "web-01"))
		if l.shown != tt.rule || (status == http.StatusOK) != (tt.rule == "issued") {
			t.Errorf("%s: %d by %q: %s", tt.name, status, l.shown, text)
		}
	}
	stolen := &machine{w: w, name: h.name, leaf: h.leaf, key: newKey(t)}
	conn, err := tls.Dial("tcp", l.address, stolen.as(l.client()))
	if err == nil { // of TLS 1.3, the client learns it when it reads
		_, err = conn.Read(make([]byte, 1))
		_ = conn.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "remote error: tls: error decrypting message") { // RFC 8446, 4.4.3
		t.Errorf("a certificate without its key: %v", err)
	}
	w.wait(25 * time.Hour)
	w.must(w.server.RenewCertificate(t.Context()))
	if status, text := l.post(l.dial(expired.as(l.client())), estReenroll, csr(t, newKey(t), "web-02")); status != http.StatusOK {
		t.Errorf("within the grace: %d: %s", status, text)
	}
}

// TestEST_resumed: a session of TLS that is resumed has the certificate of the first connection, and the
// ledger is asked all the same.
func TestEST_resumed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("web-01")
	l := w.listen()
	config := h.as(l.client())
	config.ClientSessionCache, config.MaxVersion = tls.NewLRUClientSessionCache(1), tls.VersionTLS12
	if status, text := l.post(l.dial(config), estReenroll, csr(t, h.key, h.name)); status != http.StatusOK {
		t.Fatalf("%d: %s", status, text)
	}
	w.revoke(h.leaf, ca.Superseded)
	conn := l.dial(config)
	if !conn.ConnectionState().DidResume {
		t.Fatal("another session")
	}
	if status, _ := l.post(conn, estReenroll, csr(t, newKey(t), h.name)); status != http.StatusForbidden || l.shown != "revoked" {
		t.Errorf("%d by %q", status, l.shown)
	}
}

// TestEST_unique: a request with a challengePassword is granted only if that is the tls-unique of its
// connection; by TLS 1.3, which has none, and behind a proxy it is refused.
func TestEST_unique(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.listen()
	dial := func(version uint16) *tls.Conn {
		config := l.client()
		config.MaxVersion = version
		return l.dial(config)
	}
	of := func(c *tls.Conn) string {
		return base64.StdEncoding.EncodeToString(c.ConnectionState().TLSUnique)
	}
	first := of(dial(tls.VersionTLS12))
	for _, tt := range []struct {
		name    string
		version uint16
		values  func(own string) []string
		granted bool
		says    string
	}{
		{"its own", tls.VersionTLS12, func(own string) []string { return []string{own} }, true, ""},
		{"that of another connection", tls.VersionTLS12, func(string) []string { return []string{first} }, false, "not the tls-unique of this connection"},
		{"a password", tls.VersionTLS12, func(string) []string { return []string{"hunter2"} }, false, "not the tls-unique of this connection"},
		{"an empty one", tls.VersionTLS12, func(string) []string { return []string{""} }, false, "not the tls-unique of this connection"},
		{"its own and a line", tls.VersionTLS12, func(own string) []string { return []string{own + "\n"} }, false, "not the tls-unique of this connection"},
		{"two", tls.VersionTLS12, func(own string) []string { return []string{own, own} }, false, "two attributes challengePassword"},
		{"TLS 1.3", tls.VersionTLS13, func(string) []string { return []string{first} }, false, "TLS 1.3 has no tls-unique"},
		{"TLS 1.3, an empty one", tls.VersionTLS13, func(string) []string { return []string{""} }, false, "TLS 1.3 has no tls-unique"},
	} {
		token := w.token(nil, "new-01")
		conn := dial(tt.version)
		status, text := l.post(conn, estEnroll, requestWith(t, newKey(t), "new-01", oidChallenge(), tt.values(of(conn))...), byBasic(token))
		if (status == http.StatusOK) != tt.granted || !strings.Contains(text, tt.says) || (w.used(token) == 1) != tt.granted {
			t.Errorf("%s: %d by %q: %s", tt.name, status, l.shown, text)
		}
		if tt.granted {
			_, err := w.service.Decommission(t.Context(), "new-01", "")
			w.must(err)
		}
	}
	conn := dial(tls.VersionTLS12)
	status, text := l.post(conn, estEnroll, requestWith(t, newKey(t), "new-01", oidChallenge(), of(conn)), byBasic(w.token(nil, "new-01")),
		func(r *http.Request) { r.Header.Set("X-Forwarded-For", fromAddress) })
	if status != http.StatusBadRequest || !strings.Contains(text, "a proxy has sent it") {
		t.Errorf("%d: %s", status, text)
	}
}

// TestEST_waits: a request that waits is the same for the operator on each connection, whatever its
// challengePassword, and is granted when it was approved.
func TestEST_waits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.listen()
	h := &machine{w: w, name: "new-01", key: newKey(t), est: true}
	ask := func() (int, string) {
		config := l.client()
		config.MaxVersion = tls.VersionTLS12
		conn := l.dial(config)
		unique := base64.StdEncoding.EncodeToString(conn.ConnectionState().TLSUnique)
		return l.post(conn, estEnroll, requestWith(t, h.key, h.name, oidChallenge(), unique))
	}
	_, first := ask()
	if status, again := ask(); status != http.StatusAccepted || again != first || l.shown != ruleWaitsStill {
		t.Fatalf("%d by %q: %q, before %q", status, l.shown, again, first)
	}
	id := strings.Fields(first)
	h.approveID(id[len(id)-1])
	status, body := ask()
	if status != http.StatusOK || !ca.SameKey(estCerts(t, []byte(body))[0].PublicKey, h.key.Public()) {
		t.Errorf("%d: %s", status, body)
	}
}

// TestEST_subject: the attribute by which a device asks for another name in its renewal is refused.
func TestEST_subject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("web-01")
	body := requestWith(t, newKey(t), h.name, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 7, 36}, "web-02")
	seq := w.seq()
	if got := w.postEST(estReenroll, body, byLeaf(h.leaf)); got.status != 403 || got.rule != "change-subject" || w.seq() != seq {
		t.Errorf("%d by %q: %s", got.status, got.rule, got.text)
	}
}

// TestTLS_clients: a server without EST asks nobody for a certificate, and a reload changes that; no
// connection is made by what is weak, with EST or without.
func TestTLS_clients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("web-01")
	l := w.listen()
	asked := func() (was bool) {
		config := l.client()
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			was = true
			return &tls.Certificate{}, nil
		}
		conn := l.dial(config)
		if status, text := l.post(conn, enrollapi.PathRenew, nil); status != http.StatusBadRequest {
			t.Errorf("%d: %s", status, text)
		}
		return was
	}
	for _, on := range []bool{true, false, true} {
		terms := w.terms()
		if !on {
			terms.EST = nil
		}
		w.server.SetTerms(terms)
		if was := asked(); was != on {
			t.Errorf("with EST %t, a certificate is asked for: %t", on, was)
		}
		weak := l.client()
		weak.MinVersion, weak.MaxVersion = tls.VersionTLS10, tls.VersionTLS12
		for _, suite := range tls.InsecureCipherSuites() {
			weak.CipherSuites = []uint16{suite.ID}
			if conn, err := tls.Dial("tcp", l.address, weak); err == nil {
				t.Errorf("%s is taken", suite.Name)
				_ = conn.Close()
			}
		}
		old := l.client()
		old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		if conn, err := tls.Dial("tcp", l.address, old); err == nil {
			t.Error("TLS 1.1 is taken")
			_ = conn.Close()
		}
	}
	// kedge's own renewal is by its signature, whatever certificate the connection has.
	other := w.machine("web-02")
	data, err := json.Marshal(h.renewRequest(h.name, newKey(t)))
	w.must(err)
	r, err := http.NewRequest(http.MethodPost, "https://ca.example.com"+enrollapi.PathRenew, bytes.NewReader(data))
	w.must(err)
	r.Header.Set("Content-Type", enrollapi.ContentType)
	conn := l.dial(other.as(l.client()))
	w.must(r.Write(conn))
	response, err := http.ReadResponse(bufio.NewReader(conn), r)
	w.must(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	w.must(err)
	if response.StatusCode != http.StatusOK || !strings.Contains(string(text), `"name":"web-01"`) {
		t.Errorf("%s: %s", response.Status, text)
	}
}

// TestEST_http: what old and simple clients send: HTTP/1.0, bodies in chunks, and Expect: 100-continue.
func TestEST_http(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.listen()
	for name, head := range map[string]string{
		"HTTP/1.0":     "POST " + estEnroll + " HTTP/1.0\r\nContent-Length: LENGTH\r\n",
		"chunks":       "POST " + estEnroll + " HTTP/1.1\r\nHost: ca.example.com\r\nTransfer-Encoding: chunked\r\n",
		"100-continue": "POST " + estEnroll + " HTTP/1.1\r\nHost: ca.example.com\r\nExpect: 100-continue\r\nContent-Length: LENGTH\r\n",
		"no length":    "POST " + estEnroll + " HTTP/1.1\r\nHost: ca.example.com\r\n",
	} {
		host := strings.ReplaceAll(name, "/", "-")
		body := base64.StdEncoding.EncodeToString(csr(t, newKey(t), host))
		want := http.StatusOK
		switch name {
		case "chunks":
			body = "5\r\n" + body[:5] + "\r\n" + strconv.FormatInt(int64(len(body)-5), 16) + "\r\n" + body[5:] + "\r\n0\r\n\r\n"
		case "no length": // which is an empty body
			body, want = "", http.StatusBadRequest
		}
		r, err := http.NewRequest(http.MethodPost, "/", nil)
		w.must(err)
		byBasic(w.token(nil, host))(r)
		head = strings.ReplaceAll(head, "LENGTH", strconv.Itoa(len(body))) + "Content-Type: application/pkcs10\r\nAuthorization: " + r.Header.Get("Authorization") + "\r\n\r\n"
		conn := l.dial(l.client())
		_, err = io.WriteString(conn, head+body)
		w.must(err)
		from := bufio.NewReader(conn)
		response, err := http.ReadResponse(from, r)
		if err == nil && response.StatusCode == http.StatusContinue {
			response, err = http.ReadResponse(from, r)
		}
		w.must(err)
		text, err := io.ReadAll(response.Body)
		w.must(err)
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %s: %s", name, response.Status, text)
		}
	}
}
