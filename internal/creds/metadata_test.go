package creds

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// TestMetadata_golden: the exact bytes, and nothing where a part is missing.
func TestMetadata_golden(t *testing.T) {
	t.Parallel()
	cest := time.FixedZone("CEST", 2*3600)
	full := aws.Credentials{
		AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "se/cr+et", SessionToken: "token==", AccountID: "123456789012",
		CanExpire: true, Expires: time.Date(2026, 5, 4, 4, 2, 1, 999, cest),
	}
	updated := time.Date(2026, 5, 4, 3, 2, 1, 5, cest)
	forms := []struct {
		name  string
		write func(aws.Credentials) ([]byte, error)
		want  string
	}{
		{"imds", func(c aws.Credentials) ([]byte, error) { return IMDS(c, updated) },
			`{"Code":"Success","LastUpdated":"2026-05-04T01:02:01Z","Type":"AWS-HMAC","AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"se/cr+et","Token":"token==","Expiration":"2026-05-04T02:02:01Z"}`},
		{"imds extended", func(c aws.Credentials) ([]byte, error) { return IMDSExtended(c, updated) },
			`{"Code":"Success","LastUpdated":"2026-05-04T01:02:01Z","Type":"AWS-HMAC","AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"se/cr+et","Token":"token==","Expiration":"2026-05-04T02:02:01Z","AccountId":"123456789012"}`},
		{"container", func(c aws.Credentials) ([]byte, error) { return Container(c, "arn:aws:iam::123456789012:role/app") },
			`{"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"se/cr+et","Token":"token==","Expiration":"2026-05-04T02:02:01Z","AccountId":"123456789012","RoleArn":"arn:aws:iam::123456789012:role/app"}`},
	}
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			t.Parallel()
			if got, err := form.write(full); err != nil || string(got) != form.want {
				t.Errorf("%v\n got %s\nwant %s", err, got, form.want)
			}
			for name, spoil := range map[string]func(*aws.Credentials){
				"no key id": func(c *aws.Credentials) { c.AccessKeyID = "" },
				"no secret": func(c *aws.Credentials) { c.SecretAccessKey = "" },
				"no token":  func(c *aws.Credentials) { c.SessionToken = "" },
				"no end":    func(c *aws.Credentials) { c.Expires = time.Time{} },
				"permanent": func(c *aws.Credentials) { c.CanExpire = false },
			} {
				c := full
				spoil(&c)
				if got, err := form.write(c); err == nil || got != nil {
					t.Errorf("%s: %s, %v", name, got, err)
				}
			}
		})
	}
}

func TestContainerError_golden(t *testing.T) {
	t.Parallel()
	const want = `{"code":"NoSuchRole","message":"no role \"x\" here"}`
	if got := ContainerError("NoSuchRole", `no role "x" here`); string(got) != want {
		t.Errorf("got %s", got)
	}
}
