package caserver

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/internal/config"
	"kedge/internal/emulator"
	"kedge/internal/localca"
)

// pushHouse is a house whose CA is a folder, and an account of the emulator that has its trust anchor.
type pushHouse struct {
	*house
	service *emulator.Emulator
	client  *rolesanywhere.Client
	conf    string // the configuration of the AWS SDKs
}

func newPushHouse(t *testing.T) *pushHouse {
	x := &pushHouse{house: newHouse(t)}
	path, err := x.CA.Service.Path(t.Context(), "")
	x.must(err)
	x.service, err = emulator.New(emulator.Config{TrustAnchors: []emulator.TrustAnchor{{Certificates: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: path[0].Certificate.Raw})}}})
	x.must(err)
	server := httptest.NewServer(x.service.Handler())
	t.Cleanup(server.Close)
	admin := x.service.Administrator()
	x.client = rolesanywhere.New(rolesanywhere.Options{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider(admin.AccessKeyID, admin.SecretAccessKey, "")})
	x.conf = filepath.Join(t.TempDir(), "config")
	x.must(os.WriteFile(x.conf, fmt.Appendf(nil, "[profile ca]\naws_access_key_id = %s\naws_secret_access_key = %s\nendpoint_url = %s\n", admin.AccessKeyID, admin.SecretAccessKey, server.URL), 0o600))
	for name, value := range map[string]string{"AWS_CONFIG_FILE": x.conf, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_PROFILE": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_ENDPOINT_URL": ""} {
		t.Setenv(name, value)
	}
	x.must(os.WriteFile(filepath.Join(x.dir, "aws.yaml"), []byte("trust_anchor: "+x.service.TrustAnchorARN()+"\n"), 0o600))
	key, err := x509.MarshalPKCS8PrivateKey(x.key)
	x.must(err)
	x.must(os.WriteFile(filepath.Join(x.dir, "ca.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
	x.must(x.CA.Ledger.Close())
	x.daemon.CA, err = localca.Open(t.Context(), localca.Config{
		Keys: &cadir.Keys{Folder: cadir.Folder{Dir: x.dir}, Host: config.Host{Now: func() time.Time { return x.now }}}, AnyClock: true, Warn: func(text string) { t.Error(text) },
	}, ledger.Options{})
	x.must(err)
	t.Cleanup(func() { _ = x.CA.Close() })
	return x
}

// atAWS returns the number of the list that AWS has; 0: there is none.
func (x *pushHouse) atAWS() int64 {
	x.t.Helper()
	out, err := x.client.ListCrls(x.t.Context(), &rolesanywhere.ListCrlsInput{})
	x.must(err)
	if len(out.Crls) == 0 {
		return 0
	}
	block, _ := pem.Decode(out.Crls[0].CrlData)
	list, err := x509.ParseRevocationList(block.Bytes)
	x.must(err)
	return list.Number.Int64()
}

// replaceAnchor has another trust anchor take the place of that in aws.yaml, and deletes the lists.
func (x *pushHouse) replaceAnchor() error {
	ctx := x.t.Context()
	lists, err := x.client.ListCrls(ctx, &rolesanywhere.ListCrlsInput{})
	if err != nil {
		return err
	}
	for _, list := range lists.Crls {
		if _, err := x.client.DeleteCrl(ctx, &rolesanywhere.DeleteCrlInput{CrlId: list.CrlArn}); err != nil {
			return err
		}
	}
	id := x.service.TrustAnchorARN()
	old, err := x.client.GetTrustAnchor(ctx, &rolesanywhere.GetTrustAnchorInput{TrustAnchorId: &id})
	if err != nil {
		return err
	}
	made, err := x.client.CreateTrustAnchor(ctx, &rolesanywhere.CreateTrustAnchorInput{Name: aws.String("second"), Source: old.TrustAnchor.Source, Enabled: aws.Bool(true)})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(x.dir, "aws.yaml"), []byte("trust_anchor: "+aws.ToString(made.TrustAnchor.TrustAnchorArn)+"\n"), 0o600)
}

// TestPushLists: a server pushes each list that it makes, if that is configured; one that does not arrive is logged, and
// pushed at the next tick. What somebody changes at AWS is noticed within a day.
func TestPushLists(t *testing.T) {
	x := newPushHouse(t)
	const on = "crl: {valid: 480h}\naws: {crl: {push: true, profile: ca}}\n"
	revoke := func() {
		host := x.leaf(fmt.Sprint("web-", x.now.Unix()))
		x.must(x.CA.Ledger.Revoke(t.Context(), [][]byte{host.Fingerprint}, ledger.Revocation{Reason: ca.Superseded, At: x.now}))
		x.now = x.now.Add(time.Minute)
	}
	for _, step := range []struct {
		what   string
		do     func()
		want   int64
		logged string
	}{
		{"not configured", func() {}, 0, ""},
		{"configured", func() { x.configure(on) }, 1, `msg="revocation list pushed" authority=ca change=imported number=1 entries=0`},
		{"again", func() {}, 1, ""},
		{"after a revocation", revoke, 2, "change=updated number=2 entries=1"},
		{"refused", func() { revoke(); x.must(os.Rename(x.conf, x.conf+".away")) }, 2, `msg="revocation lists are not pushed to AWS"`},
		{"at the next tick", func() { x.must(os.Rename(x.conf+".away", x.conf)) }, 3, "change=updated number=3 entries=2"},
		{"deleted, within a day", func() {
			out, err := x.client.ListCrls(t.Context(), &rolesanywhere.ListCrlsInput{})
			x.must(err)
			_, err = x.client.DeleteCrl(t.Context(), &rolesanywhere.DeleteCrlInput{CrlId: out.Crls[0].CrlArn})
			x.must(err)
			x.now = x.now.Add(23 * time.Hour)
		}, 0, ""},
		{"deleted, after a day", func() { x.now = x.now.Add(2 * time.Hour) }, 3, "change=imported number=3"},
		{"a new trust anchor", func() { x.must(x.replaceAnchor()) }, 3, "change=imported number=3"},
	} {
		step.do()
		x.log.Reset()
		x.housework(t.Context())
		x.pushLists(t.Context())
		log := x.log.String()
		if got := x.atAWS(); got != step.want || !strings.Contains(log, step.logged) || step.logged == "" && strings.Contains(log, "push") {
			t.Errorf("%s: AWS has list %d, want %d: %s", step.what, got, step.want, log)
		}
	}
}

// TestKeepPushed: a list that was made is pushed at once, and not only at a tick.
func TestKeepPushed(t *testing.T) {
	x := newPushHouse(t)
	x.configure("aws: {crl: {push: true, profile: ca}}\n")
	x.toPush = newSignal()
	x.housework(t.Context())
	if len(x.toPush) != 1 {
		t.Error("a list was made, and nothing is woken")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	ticks := make(chan time.Time)
	go func() { defer close(ended); x.keepPushed(ctx, ticks) }()
	ticks <- x.now // the first round has ended
	if got := x.atAWS(); got != 1 {
		t.Errorf("AWS has list %d", got)
	}
	cancel()
	<-ended
}
