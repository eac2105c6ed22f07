package awskms

import (
	"strings"
	"testing"

	stepuri "go.step.sm/crypto/kms/uri"
)

// A URI is read as go.step.sm/crypto does, and written so that it is read again.
func TestParseURI(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	for text, want := range map[string]URI{
		"awskms:key-id=1234abcd-12ab-34cd-56ef-1234567890ab":                   {KeyID: "1234abcd-12ab-34cd-56ef-1234567890ab"},
		"AWSKMS:region=eu-central-1;key-id=mrk-1234":                           {KeyID: "mrk-1234", Region: "eu-central-1"},
		"awskms:key-id=alias/Issuing_1;region=us-gov-west-1;profile=my%20ca":   {KeyID: "alias/Issuing_1", Region: "us-gov-west-1", Profile: "my ca"},
		"awskms:key-id=alias%2Fissuing":                                        {KeyID: "alias/issuing"},
		"awskms:key-id=" + arn:                                                 {KeyID: arn, Region: "eu-central-1"},
		"awskms:key-id=" + arn + ";region=eu-central-1":                        {KeyID: arn, Region: "eu-central-1"},
		"awskms:key-id=arn:aws-cn:kms:cn-north-1:111122223333:alias/Issuing-2": {KeyID: "arn:aws-cn:kms:cn-north-1:111122223333:alias/Issuing-2", Region: "cn-north-1"},
		"awskms:name=kedge/ca-2;region=eu-central-1":                           {Name: "kedge/ca-2", Region: "eu-central-1"},
	} {
		got, err := ParseURI(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
			continue
		}
		if again, err := ParseURI(got.String()); err != nil || again != got {
			t.Errorf("%s is written as %s: %+v, %v", text, got, again, err)
		}
		step, err := stepuri.ParseWithScheme("awskms", text)
		if err != nil || step.Get("key-id") != got.KeyID || step.Get("profile") != got.Profile || step.Get("name") != got.Name {
			t.Errorf("%s: go.step.sm/crypto reads %v, %v", text, step, err)
		}
	}
}

// What is no such URI is refused by what is wrong with it, and none of its values is shown.
func TestParseURI_refuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"awskms:":                                  "write awskms:key-id=ID",
		"awskms":                                   "does not begin with",
		"pkcs11:token=x":                           "does not begin with",
		"awskms:region=eu-central-1":               "names no key",
		"awskms:key-id=":                           "key-id is empty",
		"awskms:key-id=%zz":                        "not percent-encoded",
		"awskms:key-id=a;key-id=b":                 "key-id is there twice",
		"awskms:key-id=a;":                         "write awskms:key-id=ID",
		"awskms:key-id=a,region=b":                 "key-id is none of",
		"awskms:key-id=a&region=b":                 "key-id is none of",
		"awskms:key-id=a?region=b":                 "write awskms:key-id=ID",
		"awskms:key-id=a;name=b":                   "give one of them",
		"awskms:key-id=a b":                        "key-id is none of",
		"awskms:key-id=alias/":                     "key-id is none of",
		"awskms:key-id=arn:aws:s3:::bucket":        "key-id is none of",
		"awskms:key-id=a;region=EU Central":        "region is not the name",
		"awskms:key-id=a;Region=b":                 "and nothing else",
		"awskms:key-id=a;secret-key=hunter2":       "holds no secret",
		"awskms:key-id=a;credentials-file=hunter2": "AWS_SHARED_CREDENTIALS_FILE",
		"awskms:name=alias/hunter2":                "begin neither with alias/",
		"awskms:name=aws/hunter2":                  "nor with aws/",
		"awskms:name=hunter2!":                     "name can have",
		"awskms:key-id=arn:aws:kms:eu-central-1:111122223333:key/a;region=us-east-1": "another than that of the ARN",
	} {
		_, err := ParseURI(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
