package awsup

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"

	"kedge/internal/awsaccount"
	"kedge/internal/awsplan"
	"kedge/internal/emulator"
	emulatediam "kedge/internal/emulator/iam"
)

const (
	readOnly  = "arn:aws:iam::111122223333:policy/ReadOnly"
	getObject = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
)

// world is an account of the emulator, with a clock that stands still while nobody waits.
type world struct {
	*emulator.Emulator
	url string

	mu   sync.Mutex
	now  time.Time
	sent []string // requests, "POST /profiles" or the action
	// dies is after how many requests the operator's process dies; 0: never.
	dies int
	die  func()
}

func newWorld(t *testing.T, change func(*emulator.Config)) *world {
	t.Helper()
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		t.Setenv(name, filepath.Join(t.TempDir(), "none"))
	}
	for _, name := range []string{"AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL"} {
		t.Setenv(name, "")
	}
	w := &world{now: time.Now().Truncate(time.Second)} // the SDK signs by the clock of the machine
	config := emulator.Config{Account: "111122223333", Region: "eu-west-1", Now: w.clock, Policies: []emulatediam.PolicyConfig{{ARN: readOnly, Document: getObject}}}
	if change != nil {
		change(&config)
	}
	var err error
	if w.Emulator, err = emulator.New(config); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(w.Handler())
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) wait(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
	return ctx.Err()
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// wrap counts requests, and has the process die after some.
func (w *world) wrap(next aws.HTTPClient) aws.HTTPClient {
	return doer(func(r *http.Request) (*http.Response, error) {
		response, err := next.Do(r)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.sent = append(w.sent, r.Method+" "+r.URL.Path)
		if len(w.sent) == w.dies {
			w.die()
			response.Body.Close()
			return nil, context.Canceled
		}
		return response, err
	})
}

func (w *world) open(t *testing.T, u emulator.User) *awsaccount.Account {
	t.Helper()
	return w.openBy(t, u, w.wrap)
}

// openBy is open with another client between.
func (w *world) openBy(t *testing.T, u emulator.User, wrap func(aws.HTTPClient) aws.HTTPClient) *awsaccount.Account {
	t.Helper()
	a, err := awsaccount.Open(t.Context(), awsaccount.Config{
		Region: "eu-west-1", EndpointURL: w.url, Credentials: credentials.NewStaticCredentialsProvider(u.AccessKeyID, u.SecretAccessKey, ""),
		Wrap: wrap, Now: w.clock, Sleep: w.wait,
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (w *world) admin(t *testing.T) *awsaccount.Account { return w.open(t, w.Administrator()) }

func newCA(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// trustOf is a trust policy for hosts with a name, which differs from what IAM returns in its white space.
func trustOf(host string) func(string) (string, error) {
	return func(anchor string) (string, error) {
		return fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "rolesanywhere.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"], "Condition": {"ArnEquals": {"aws:SourceArn": %q}, "StringEquals": {"aws:PrincipalTag/x509Subject/CN": %q}}}]}`, anchor, host), nil
	}
}

// twoRoles is what the hosts of a CA need.
func twoRoles(root *x509.Certificate) *awsplan.Wanted {
	return &awsplan.Wanted{
		Owners:  []awsplan.Owner{awsplan.OwnerOf(root)},
		Anchor:  awsplan.Anchor{Name: "kedge", Certificates: []*x509.Certificate{root}, Notifications: awsplan.Notifications(30*24*time.Hour, 10*365*24*time.Hour)},
		Profile: awsplan.Profile{Name: "kedge", Duration: 2 * time.Hour},
		Tags:    map[string]string{"team": "storage"},
		Roles: []awsplan.Role{
			{Name: "backup", Path: "/hosts/", For: "web-01", Trust: trustOf("web-01"), Attached: []string{readOnly}, MaxSession: 2 * time.Hour},
			{Name: "batch", Path: "/hosts/", For: "web-02", Trust: trustOf("web-02"), Inline: map[string]string{"read": getObject}, MaxSession: 2 * time.Hour},
		},
	}
}

// up plans and does it.
func (w *world) up(ctx context.Context, t *testing.T, wanted *awsplan.Wanted) (*Planned, error) {
	t.Helper()
	a := w.admin(t)
	planned, err := Prepare(ctx, a, wanted)
	if err != nil {
		return nil, err
	}
	return planned.Do(ctx, a, func(*awsplan.Step) {})
}

func (w *world) mustUp(t *testing.T, wanted *awsplan.Wanted) *Planned {
	t.Helper()
	built, err := w.up(t.Context(), t, wanted)
	if err != nil {
		t.Fatal(err)
	}
	return built
}

// state describes the account without what differs from one to another: IDs, times.
func (w *world) state(t *testing.T, wanted *awsplan.Wanted) string {
	t.Helper()
	w.mu.Lock()
	w.dies = 0
	w.mu.Unlock()
	found, _, err := Find(t.Context(), w.admin(t), wanted)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, a := range found.Anchors {
		lines = append(lines, fmt.Sprintf("anchor %s %v %v %d %v", a.Name, a.Tags, a.Enabled, len(a.Certificates), a.Notifications))
	}
	for _, p := range found.Profiles {
		lines = append(lines, fmt.Sprintf("profile %s %v %v %v %v", p.Name, p.Tags, p.Enabled, p.Duration, p.Roles))
	}
	for _, r := range found.Roles {
		r.Created = time.Time{}
		text, _ := json.Marshal(r)
		lines = append(lines, "role "+string(text))
	}
	for _, a := range found.Anchors { // each has its own
		for i := range lines {
			lines[i] = strings.ReplaceAll(lines[i], a.ARN, "ANCHOR-"+a.Name)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (w *world) fails(t *testing.T, text string) {
	t.Helper()
	f, err := emulator.ParseFault(text)
	if err == nil {
		err = w.Inject(f)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func resetAll() (keys []types.NotificationSettingKey) {
	for _, event := range []string{awsplan.EventCA, awsplan.EventLeaf} {
		keys = append(keys, types.NotificationSettingKey{Event: types.NotificationEvent(event)})
	}
	return keys
}
