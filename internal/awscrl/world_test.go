package awscrl

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/awsaccount"
	"kedge/internal/awsplan"
	"kedge/internal/awsrights"
	"kedge/internal/emulator"
	"kedge/internal/emulator/iam"
)

const (
	accessKey = "AKIAOPERATOR00000001"
	secretKey = "secret-of-a-test"
	operator  = "arn:aws:iam::111122223333:user/operator"
)

// testCA has its key in memory.
type testCA struct {
	*issuance.Service
	l    *ledger.Ledger
	key  crypto.Signer
	root ledger.Authority
}

func (c *testCA) Signer(context.Context, string, crypto.PublicKey) (crypto.Signer, error) {
	return c.key, nil
}

func (c *testCA) Has(string) (bool, error) { return true, nil }

// world is a CA, and an emulator whose trust anchor has its certificate and that of another CA.
type world struct {
	*Pusher
	t        *testing.T
	ca       *testCA
	other    *testCA
	emulator *emulator.Emulator

	// sent has what was sent to change the account, in order; meanwhile is called before each such request.
	sent      []string
	numbers   []int64 // of the lists of the CA that were sent
	meanwhile func(operation string)
	answer    func(r *http.Request, response *http.Response) // may change it
}

func newWorld(t *testing.T, rights ...func(awsrights.Scope) []awsrights.Statement) *world {
	t.Helper()
	w := &world{t: t, ca: newTestCA(t, "kedge CA"), other: newTestCA(t, "another CA")}
	certs := append(pemOf(w.ca.root.Certificate), pemOf(w.other.root.Certificate)...)
	user := emulator.User{ARN: operator, AccessKeyID: accessKey, SecretAccessKey: secretKey, Permissions: iam.Permissions{Attached: []string{"arn:aws:iam::aws:policy/" + iam.AdministratorAccess}}}
	for _, f := range rights {
		document, err := awsrights.Policy(f(awsrights.Scope{Partition: "aws", Account: "111122223333", Region: "us-east-1", Owners: owners(w.ca)}))
		w.must(err)
		user.Permissions = iam.Permissions{Inline: map[string]string{"rights": string(document)}}
	}
	var err error
	w.emulator, err = emulator.New(emulator.Config{TrustAnchors: []emulator.TrustAnchor{{Certificates: certs}}, Users: []emulator.User{user}})
	w.must(err)
	server := httptest.NewServer(w.emulator.Handler())
	t.Cleanup(server.Close)
	sleep := func(context.Context, time.Duration) error { return nil }
	account, err := awsaccount.Open(t.Context(), awsaccount.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""), EndpointURL: server.URL, Wrap: w.wrap, Sleep: sleep})
	w.must(err)
	w.Pusher = &Pusher{Account: account, Service: w.ca.Service, Authority: w.ca.root, Anchor: w.emulator.TrustAnchorARN(), Name: "ca", Tag: TagOf("ca", owners(w.ca)), Sleep: sleep}
	t.Cleanup(w.checkNumbers)
	return w
}

// checkNumbers fails the test if a list was sent after one with a higher number.
func (w *world) checkNumbers() {
	for i := range w.numbers[min(1, len(w.numbers)):] {
		if w.numbers[i+1] < w.numbers[i] {
			w.t.Errorf("the numbers of lists went back: %v", w.numbers)
		}
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// wrap notes what requests change.
func (w *world) wrap(next aws.HTTPClient) aws.HTTPClient {
	return doer(func(r *http.Request) (*http.Response, error) { return w.do(next, r) })
}

func (w *world) do(next aws.HTTPClient, r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet && r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		w.sent = append(w.sent, r.Method+" "+strings.SplitN(r.URL.Path, "/", 3)[1])
		w.note(body)
		if w.meanwhile != nil {
			w.meanwhile(w.sent[len(w.sent)-1])
		}
	}
	response, err := next.Do(r)
	if err == nil && w.answer != nil {
		w.answer(r, response)
	}
	return response, err
}

func (w *world) note(body []byte) {
	var in struct{ CRLData []byte }
	block, _ := pem.Decode(in.CRLData)
	if json.Unmarshal(body, &in) == nil {
		block, _ = pem.Decode(in.CRLData)
	}
	if block == nil {
		return
	}
	list, err := x509.ParseRevocationList(block.Bytes)
	if err == nil && list.CheckSignatureFrom(w.ca.root.Certificate) == nil {
		w.numbers = append(w.numbers, list.Number.Int64())
	}
}

func newTestCA(t *testing.T, name string) *testCA {
	t.Helper()
	c := &testCA{}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	c.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	c.l, err = ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Create: true, Now: time.Now})
	must(err)
	t.Cleanup(func() { _ = c.l.Close() })
	c.Service, err = issuance.New(issuance.Config{Ledger: c.l, Now: time.Now, Keys: c})
	must(err)
	root, err := ca.PrepareRoot(c.key, ca.AuthorityConfig{Subject: pkix.Name{CommonName: name}, Lifetime: 365 * 24 * time.Hour, MaxPathLen: -1}, time.Now().Add(-time.Minute))
	must(err)
	_, err = c.Found(t.Context(), root)
	must(err)
	path, err := c.Path(t.Context(), "")
	must(err)
	c.root = path[0]
	return c
}

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// make makes the next list of the CA, with the revocation of one more certificate.
func (w *world) make() *issuance.CRL {
	w.t.Helper()
	issuer, err := w.ca.Issuer(w.t.Context(), "")
	w.must(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.must(err)
	leaf, err := issuer.Prepare(ca.DefaultProfile(), ca.Request{Name: "web-01", Public: key.Public()})
	w.must(err)
	issued, err := leaf.Issue(w.t.Context())
	w.must(err)
	sum := sha256.Sum256(issued.Certificate.Raw)
	w.must(w.ca.l.Revoke(w.t.Context(), [][]byte{sum[:]}, ledger.Revocation{Reason: ca.KeyCompromise, At: time.Now()}))
	made, err := w.ca.PublishCRL(w.t.Context(), issuance.CRLRequest{Authority: w.ca.root.Name, Valid: time.Hour}, func(*issuance.CRL) error { return nil })
	w.must(err)
	return made
}

// list signs a list that the ledger does not record.
func (c *testCA) list(t *testing.T, number int64, serials ...int64) []byte {
	t.Helper()
	authority, err := c.Authority(t.Context(), []ledger.Authority{c.root})
	if err != nil {
		t.Fatal(err)
	}
	var revoked []ca.Revocation
	for _, n := range serials {
		revoked = append(revoked, ca.Revocation{Serial: big.NewInt(n), At: time.Now(), Reason: ca.Superseded})
	}
	now := time.Now().Truncate(time.Second)
	der, err := authority.CRL(revoked, ca.CRLConfig{Number: big.NewInt(number), ThisUpdate: now, NextUpdate: now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// record records a list of the CA that was made elsewhere.
func (w *world) record(der []byte, number int64, stored bool) {
	w.t.Helper()
	sum := sha256.Sum256(der)
	list := ledger.CRL{Authority: w.ca.root.Certificate, Number: number, ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour), Size: int64(len(der)), SHA256: sum[:]}
	if stored {
		list.DER = der
	}
	w.must(w.ca.l.RecordCRL(w.t.Context(), list))
}

// there has a list at AWS, imported by the operator with tags.
func (w *world) there(der []byte, tags ...types.Tag) string {
	w.t.Helper()
	out, err := w.Account.RolesAnywhere.ImportCrl(w.t.Context(), &rolesanywhere.ImportCrlInput{
		Name: aws.String("by hand"), TrustAnchorArn: &w.Anchor, CrlData: pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), Enabled: aws.Bool(true), Tags: tags,
	})
	w.must(err)
	w.sent, w.numbers = nil, nil
	return *out.Crl.CrlArn
}

func (w *world) tag() types.Tag { return types.Tag{Key: &w.Tag.Key, Value: &w.Tag.Values[0]} }

// atAWS returns the lists that the account has.
func (w *world) atAWS() []types.CrlDetail {
	w.t.Helper()
	out, err := w.Account.RolesAnywhere.ListCrls(w.t.Context(), &rolesanywhere.ListCrlsInput{})
	w.must(err)
	return out.Crls
}

func (w *world) inject(text string) {
	w.t.Helper()
	fault, err := emulator.ParseFault(text)
	w.must(err)
	w.must(w.emulator.Inject(fault))
}

func (t Tag) sdk() types.Tag { return types.Tag{Key: &t.Key, Value: &t.Values[0]} }

func owners(c *testCA) []awsplan.Owner { return []awsplan.Owner{awsplan.OwnerOf(c.root.Certificate)} }
