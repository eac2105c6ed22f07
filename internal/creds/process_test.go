package creds

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestProcess(t *testing.T) {
	full := aws.Credentials{
		AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "se/cr+et", SessionToken: "to<k>en==", AccountID: "123456789012",
		CanExpire: true, Expires: time.Date(2026, 5, 4, 3, 2, 1, 999, time.FixedZone("", 3600)),
	}
	without := func(change func(*aws.Credentials)) aws.Credentials {
		c := full
		change(&c)
		return c
	}
	tests := []struct {
		name    string
		c       aws.Credentials
		want    string
		wantErr string
	}{
		{"full", full, `{"Version":1,"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"se/cr+et","SessionToken":"to\u003ck\u003een==","Expiration":"2026-05-04T02:02:01Z","AccountId":"123456789012"}`, ""},
		{"no account", without(func(c *aws.Credentials) { c.AccountID = "" }), `{"Version":1,"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"se/cr+et","SessionToken":"to\u003ck\u003een==","Expiration":"2026-05-04T02:02:01Z"}`, ""},
		{"no key", without(func(c *aws.Credentials) { c.AccessKeyID = "" }), "", "incomplete credentials: a key or the session token is empty"},
		{"no token", without(func(c *aws.Credentials) { c.SessionToken = "" }), "", "incomplete credentials: a key or the session token is empty"},
		{"permanent", without(func(c *aws.Credentials) { c.CanExpire = false }), "", "incomplete credentials: no expiration"},
		{"no expiration", without(func(c *aws.Credentials) { c.Expires = time.Time{} }), "", "incomplete credentials: no expiration"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Process(tt.c)
			if string(got) != tt.want {
				t.Errorf("got %s", got)
			}
			if tt.wantErr == "" && err != nil || tt.wantErr != "" && (err == nil || err.Error() != tt.wantErr) {
				t.Errorf("error %v, want %q", err, tt.wantErr)
			}
		})
	}
}
