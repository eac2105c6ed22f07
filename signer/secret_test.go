package signer

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// TestSignSecret: the headers are those of the SDK's signer, which signs the length of the body besides
// if it is told.
func TestSignSecret(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 23, 59, 59, 0, time.FixedZone("", -3600))
	for _, tt := range []struct {
		method, url, body, region, service string
		header                             http.Header
	}{
		{"POST", "https://sts.eu-west-1.amazonaws.com/", "Action=AssumeRole", "eu-west-1", "sts", http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}},
		{"POST", "https://sts.eu-west-1.amazonaws.com", "", "eu-west-1", "sts", nil},
		{"POST", "http://127.0.0.1:8080/a/b", "x", "us-gov-west-1", "sts", http.Header{"Content-Type": {"text/plain"}}},
		{"GET", "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&A=b%20c", "", "us-east-1", "sts", nil},
		{"GET", "https://x.example/%7Ea/b%2Fc?b=2&a=1&b=1&-=&_", "", "cn-north-1", "execute-api", nil},
		{"PUT", "https://x.example/é ü", "{}", "eu-central-1", "iam", http.Header{"X-Amz-Target": {" a   b "}, "X-More": {"1", "2"}}},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, tt.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range tt.header {
			r.Header[name] = values
		}
		secret := Secret{"ASIAEXAMPLE", "secret/Key+1", "token//=="}
		got := SignSecret(Request{Method: r.Method, URL: r.URL, Header: r.Header.Clone(), Body: []byte(tt.body)}, secret, tt.region, tt.service, at)

		hash := sha256.Sum256([]byte(tt.body))
		credentials := aws.Credentials{AccessKeyID: secret.AccessKeyID, SecretAccessKey: secret.SecretAccessKey, SessionToken: secret.SessionToken}
		if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(hash[:]), tt.service, tt.region, at); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"X-Amz-Date", "X-Amz-Security-Token", "Authorization"} {
			if got.Get(name) != r.Header.Get(name) {
				t.Errorf("%s %s: %s is %s\nby the SDK %s", tt.method, tt.url, name, got.Get(name), r.Header.Get(name))
			}
		}
	}
}
