package emulator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	ra "github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"
)

// controlWorld is an emulator behind a real server, managed by its administrator.
type controlWorld struct {
	*Emulator
	root *authority
	url  string
}

func newControlWorld(t *testing.T, change ...func(*Config)) *controlWorld {
	t.Helper()
	w := &controlWorld{root: newRoot(t, caTemplate("Root"))}
	w.Emulator = newEmulator(t, w.root, change...)
	server := httptest.NewServer(w.Handler())
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// client is the SDK's, at the emulated time.
func (w *controlWorld) client(u User) *ra.Client {
	return ra.New(ra.Options{
		Region: "us-east-1", BaseEndpoint: &w.url, RetryMaxAttempts: 1,
		Credentials:  credentials.NewStaticCredentialsProvider(u.AccessKeyID, u.SecretAccessKey, ""),
		HTTPSignerV4: signerAt{testNow},
	})
}

func (w *controlWorld) admin() *ra.Client { return w.client(w.Administrator()) }

// signerAt signs at a time of its own.
type signerAt struct{ now time.Time }

func (s signerAt) SignHTTP(ctx context.Context, c aws.Credentials, r *http.Request, hash, service, region string, _ time.Time, opts ...func(*v4.SignerOptions)) error {
	return v4.NewSigner().SignHTTP(ctx, c, r, hash, service, region, s.now, opts...)
}

// call sends a request that the user signed, and returns the answer's status and body.
func (w *controlWorld) call(t *testing.T, u User, method, target, body string) (*http.Response, string) {
	t.Helper()
	r := w.signed(t, u, method, target, body)
	return w.send(t, r)
}

func (w *controlWorld) signed(t *testing.T, u User, method, target, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.url+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	sign(r, u, body, "rolesanywhere")
	return r
}

// sign signs a request for a service.
func sign(r *http.Request, u User, body, service string) {
	sum := sha256.Sum256([]byte(body))
	c := aws.Credentials{AccessKeyID: u.AccessKeyID, SecretAccessKey: u.SecretAccessKey}
	_ = v4.NewSigner().SignHTTP(r.Context(), c, r, hex.EncodeToString(sum[:]), service, "us-east-1", testNow)
}

func (w *controlWorld) send(t *testing.T, r *http.Request) (*http.Response, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// refusalOf returns the status, the type and the message of an error.
func refusalOf(response *http.Response, body string) string {
	var m struct{ Message string }
	_ = json.Unmarshal([]byte(body), &m)
	return response.Status[:3] + " " + response.Header.Get("X-Amzn-Errortype") + ": " + m.Message
}

func bundle(certs ...*authority) *types.Source {
	var data []byte
	for _, c := range certs {
		data = append(data, c.pem()...)
	}
	return &types.Source{SourceType: types.TrustAnchorTypeCertificateBundle, SourceData: &types.SourceDataMemberX509CertificateData{Value: string(data)}}
}

func crlPEM(der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}) }

// session lets the certificate have a session of the first role through an anchor and a profile.
func (w *controlWorld) session(t *testing.T, anchor, profile string, leaf *authority) answer {
	t.Helper()
	c := newCraft(w.Emulator, leaf)
	c.body = strings.NewReplacer(w.TrustAnchorARN(), anchor, w.ProfileARN(), profile).Replace(c.body)
	return send(t, w.Emulator, c.sign(t).wire())
}

func serial(n int64) *big.Int { return big.NewInt(n) }
