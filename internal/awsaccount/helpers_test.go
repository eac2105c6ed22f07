package awsaccount

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"kedge/internal/emulator"
	emulatediam "kedge/internal/emulator/iam"
)

// world is an account of the emulator, with a clock that stands still while nobody waits.
type world struct {
	*emulator.Emulator
	url string

	mu     sync.Mutex
	now    time.Time
	pauses []time.Duration
	sent   int // requests
}

func newWorld(t *testing.T, change func(*emulator.Config)) *world {
	t.Helper()
	isolate(t)
	w := &world{now: time.Now().Truncate(time.Second)} // the SDK signs by the clock of the machine
	config := emulator.Config{Account: "111122223333", Users: []emulator.User{{ARN: "arn:aws:iam::111122223333:user/bob", AccessKeyID: "AKIABOB0000000000000", SecretAccessKey: "bob"}}}
	if change != nil {
		change(&config)
	}
	if config.Now == nil {
		config.Now = w.clock
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

// isolate keeps the settings of the user out.
func isolate(t *testing.T) {
	t.Helper()
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		t.Setenv(name, filepath.Join(t.TempDir(), "none"))
	}
	for _, name := range []string{"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// wait is Config.Sleep: the emulated clock goes on at once.
func (w *world) wait(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now, w.pauses = w.now.Add(d), append(w.pauses, d)
	return ctx.Err()
}

// counting is Config.Wrap.
func (w *world) counting(next aws.HTTPClient) aws.HTTPClient {
	return doer(func(r *http.Request) (*http.Response, error) {
		w.mu.Lock()
		w.sent++
		w.mu.Unlock()
		return next.Do(r)
	})
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

// open opens the account as a user.
func (w *world) open(t *testing.T, u emulator.User) *Account {
	t.Helper()
	a, err := Open(t.Context(), Config{
		Region: "us-east-1", EndpointURL: w.url, Credentials: credentials.NewStaticCredentialsProvider(u.AccessKeyID, u.SecretAccessKey, ""),
		Wrap: w.counting, Now: w.clock, Sleep: w.wait,
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (w *world) admin(t *testing.T) *Account {
	t.Helper()
	return w.open(t, w.Administrator())
}

// allowing gives bob some actions.
func allowing(policy string) func(*emulator.Config) {
	return func(c *emulator.Config) {
		c.Users[0].Permissions = emulatediam.Permissions{Inline: map[string]string{"some": policy}}
	}
}

func (w *world) bob() emulator.User {
	return emulator.User{AccessKeyID: "AKIABOB0000000000000", SecretAccessKey: "bob"}
}

// fails makes requests of the account fail.
func (w *world) fails(t *testing.T, faults ...string) {
	t.Helper()
	for _, text := range faults {
		f, err := emulator.ParseFault(text)
		if err == nil {
			err = w.Inject(f)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
