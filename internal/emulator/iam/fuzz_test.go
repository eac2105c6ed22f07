package iam

import (
	"encoding/json/v2"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
)

// FuzzDo sends two calls of the query protocol. A refused one is an *Error of IAM and leaves the store as it
// was; an answer is well-formed XML; whatever was stored can be read again.
func FuzzDo(f *testing.F) {
	trust, doc := url.QueryEscape(testTrust), url.QueryEscape(testPolicy)
	for _, seed := range [][2]string{
		{"Action=CreateRole&RoleName=a&AssumeRolePolicyDocument=" + trust + "&Tags.member.1.Key=k&Tags.member.1.Value=%C3%A9", "Action=GetRole&RoleName=a"},
		{"Action=CreatePolicy&PolicyName=p&PolicyDocument=" + doc + "&Path=/x/&Description=%01", "Action=ListPolicies&Scope=Local&MaxItems=1"},
		{"Action=PutUserPolicy&UserName=admin&PolicyName=p&PolicyDocument=" + doc, "Action=GetUserPolicy&UserName=admin&PolicyName=p"},
		{"Action=CreateAccessKey", "Action=ListUsers&Marker=YQ"},
		{"Action=TagUser&UserName=admin&Tags.member.1.Key=k", "Action=UntagUser&UserName=admin&TagKeys.member.1=k"},
		{"Action=DeleteRole&RoleName=%00", "Action=%FF"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		s := newTestStore(t)
		for _, text := range []string{first, second} {
			values, err := url.ParseQuery(text)
			if err != nil {
				return
			}
			parameters := map[string]string{"Version": Version}
			for name := range values {
				parameters[name] = values.Get(name)
			}
			before := s.current.Load()
			answer, err := s.Do(Call{Parameters: parameters, Caller: admin(), Now: testNow})
			if err != nil {
				var refusal *Error
				if !errors.As(err, &refusal) || refusal.Status < 400 || refusal.Status > 499 || refusal.Code == "" || refusal.Message == "" {
					t.Fatalf("error %#v", err)
				}
				if s.current.Load() != before {
					t.Fatal("a refused call changed the store")
				}
				continue
			}
			wellFormed(t, body(t, answer))
		}
		readable(t, s)
	})
}

// readable checks that the account can be stored and read again.
func readable(t *testing.T, s *Store) {
	t.Helper()
	content, err := json.Marshal(s.current.Load().accounts[testAccount])
	again := newAccount()
	if err == nil {
		err = json.Unmarshal(content, again, json.RejectUnknownMembers(true))
	}
	if err == nil {
		err = again.parse()
	}
	if err != nil {
		t.Fatalf("%v: %s", err, content)
	}
}

func wellFormed(t *testing.T, document string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(document))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v: %s", err, document)
		}
	}
}
