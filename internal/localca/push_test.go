package localca

import (
	"context"
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/awsaccount"
	"kedge/internal/awscrl"
	"kedge/internal/emulator"
	"kedge/internal/filelock"
)

// TestPushLists_oneAtATime: while another process pushes, by the lock of the folder or by that of the ledger, nothing
// is sent to AWS.
func TestPushLists_oneAtATime(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	root := x.found()
	service, err := emulator.New(emulator.Config{TrustAnchors: []emulator.TrustAnchor{{Certificates: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(service.Handler())
	t.Cleanup(server.Close)
	if err := os.WriteFile(x.path("aws.yaml"), []byte("trust_anchor: "+service.TrustAnchorARN()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Open(t.Context(), x.Config, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	authorities, _, err := c.Service.ToList(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.MakeCRLs(t.Context(), CRLRequest{Authorities: authorities}, func(*issuance.ForgottenError) error { return nil }, func(*CRL) {}); err != nil {
		t.Fatal(err)
	}
	admin := service.Administrator()
	request := PushRequest{Account: awsaccount.Config{EndpointURL: server.URL, Credentials: credentials.NewStaticCredentialsProvider(admin.AccessKeyID, admin.SecretAccessKey, "")}}
	push := func(timeout time.Duration) (pushed int, err error) {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		err = c.PushLists(ctx, request, func(*awscrl.Result) { pushed++ })
		return pushed, err
	}
	if n, err := push(time.Minute); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	for what, lock := range map[string]func() (func(), error){
		"the folder": func() (func(), error) { return filelock.Lock(t.Context(), x.path("crl/push.lock"), time.Second) },
		"the ledger": func() (func(), error) {
			release, ok, err := c.Service.TryPushLock(t.Context())
			if !ok && err == nil {
				err = errors.New("it is not free")
			}
			return release, err
		},
	} {
		release, err := lock()
		if err != nil {
			t.Fatal(err)
		}
		before := len(service.Calls())
		if n, err := push(100 * time.Millisecond); n != 0 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s is locked: pushed %d, %v", what, n, err)
		}
		if after := len(service.Calls()); after != before {
			t.Errorf("%s is locked: %d requests", what, after-before)
		}
		release()
		if n, err := push(time.Minute); n != 1 || err != nil {
			t.Errorf("%s is free again: %d, %v", what, n, err)
		}
	}
}
