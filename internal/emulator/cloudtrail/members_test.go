package cloudtrail

import (
	"encoding/xml"
	"strings"
	"testing"

	"kedge/internal/emulator/wire"
)

func asJSON(t *testing.T, m Members) string {
	t.Helper()
	data, err := marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestFromForm(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		form wire.Parameters
		want string
	}{
		{"nothing", wire.Parameters{"Action": "GetCallerIdentity", "Version": "2011-06-15", "X-Amz-Signature": "ab"}, `null`},
		{"names", wire.Parameters{"RoleArn": "r", "RoleSessionName": "n"}, `{"roleArn":"r","roleSessionName":"n"}`},
		{"lists", wire.Parameters{"Tags.member.1.Key": "a", "Tags.member.1.Value": "b", "Tags.member.10.Key": "k", "Tags.member.2.Key": "c"}, `{"tags":[{"key":"a","value":"b"},{"key":"c"},{"key":"k"}]}`},
		{"list of texts", wire.Parameters{"TransitiveTagKeys.member.2": "b", "TransitiveTagKeys.member.1": "a"}, `{"transitiveTagKeys":["a","b"]}`},
		{"huge numbers", wire.Parameters{"TransitiveTagKeys.member.99999999999": "x"}, `{"transitiveTagKeys":["x"]}`},
		{"others", wire.Parameters{
			"Password": "s", "roleArn": "s", "RoleArn.Secret": "s", "Tags.member.1.Secret": "s", "Tags.member.N.Key": "s", "Tags.member.1.Key.1": "s",
			"Tags": "s", "TransitiveTagKeys.member.1.Key": "s", strings.Repeat("a.", 500) + "b": "s",
		}, `null`},
	} {
		if got := asJSON(t, FromForm(tt.form, []string{"RoleArn", "RoleSessionName", "Tags.member.N.Key", "Tags.member.N.Value", "TransitiveTagKeys.member.N"})); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestFromJSON(t *testing.T) {
	t.Parallel()
	own := []string{"name", "enabled", "roleArns", "tags.key", "tags.value", "source.sourceData.pem"}
	for body, want := range map[string]string{
		`{"name":"a","enabled":true,"roleArns":["r","s"],"tags":[{"key":"k","value":"v"}],"source":{"sourceData":{"pem":"p"}}}`: "",
		`{"roleArns":[],"tags":[],"source":{}}`: "",
		`{"secret":"s"}`:                        `null`,
		`{"secret":{"name":"s"},"Name":"s","source":{"name":"s","sourceData":{"key":"s"}},"tags":[{"key":"k","secret":"s"},"s",["s"]]}`: `{"source":{"sourceData":{}},"tags":[{"key":"k"},[]]}`,
		`{"name":{"secret":"s"},"roleArns":[{"secret":"s"},"r"],"enabled":["s"]}`:                                                       `{"enabled":["s"],"roleArns":["r"]}`,
		`[]`: `null`, `"s"`: `null`, `{"name":"a"`: `null`, ``: `null`,
	} {
		if want == "" {
			want = asJSON(t, object([]byte(body)))
		}
		if got := asJSON(t, FromJSON([]byte(body), own)); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

type answer struct {
	XMLName xml.Name `xml:"AnswerResponse"`
	Inner   string   `xml:",innerxml"`
}

func (*answer) SetRequestID(string) {}

func TestFromXML(t *testing.T) {
	t.Parallel()
	for inner, want := range map[string]string{
		`<ResponseMetadata><RequestId>x</RequestId></ResponseMetadata>`: `null`,
		`<XResult></XResult>`: `null`,
		`<XResult><Role><RoleName>r</RoleName><CreateDate>2026-07-24T10:00:01Z</CreateDate><Tags><member><Key>a</Key></member></Tags></Role></XResult><ResponseMetadata/>`: `{"role":{"createDate":"Jul 24, 2026, 10:00:01 AM","roleName":"r","tags":[{"key":"a"}]}}`,
		`<XResult><AccessKey><AccessKeyId>AKIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken></AccessKey></XResult>`:                      `{"accessKey":{"accessKeyId":"AKIA","sessionToken":"` + Hidden + `"}}`,
		`<XResult><PackedPolicySize>6</PackedPolicySize></XResult>`: `{"packedPolicySize":6}`,
	} {
		if got := asJSON(t, FromXML(&answer{Inner: inner})); got != want {
			t.Errorf("%s: %s, want %s", inner, got, want)
		}
	}
}
