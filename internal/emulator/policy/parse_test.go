package policy

import (
	"reflect"
	"strings"
	"testing"
)

// TestParse_whole: every element is kept, in the order and spelling of the document.
func TestParse_whole(t *testing.T) {
	t.Parallel()
	doc := mustParse(t, Trust, `{"Id": "x y", "Version": "2012-10-17", "Statement": [
		{"Sid": "a", "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["b.amazonaws.com", "a.amazonaws.com"], "AWS": ["*", "111122223333"]},
		 "Condition": {"StringLike": {"AWS:z": [1, true, "x"], "aws:a": -1.50}, "Null": {"unknown:key": false}}},
		{"Effect": "Deny", "NotAction": ["sts:TagSession"], "NotPrincipal": "*"}]}`)
	operator := func(name string) Operator { o, _ := operatorNamed(name); return o }
	want := &Document{Version: version2012, ID: "x y", Statements: []Statement{
		{
			Sid: "a", Effect: Allow, Action: Element{"Action", []string{"sts:AssumeRole"}},
			Principal: Element{"Principal", []string{"Service:b.amazonaws.com", "Service:a.amazonaws.com", "*", "AWS:111122223333"}},
			Conditions: []Condition{
				newCondition(operator("StringLike"), "AWS:z", []string{"1", "true", "x"}),
				newCondition(operator("StringLike"), "aws:a", []string{"-1.50"}),
				newCondition(operator("Null"), "unknown:key", []string{"false"}),
			},
			where: "/Statement/0",
		},
		{where: "/Statement/1", Effect: Deny, Action: Element{"NotAction", []string{"sts:TagSession"}}, Principal: Element{"NotPrincipal", []string{"*"}}},
	}}
	if !reflect.DeepEqual(doc, want) {
		t.Errorf("%+v\nwant %+v", doc, want)
	}
}

// TestParse_taken: what looks odd and is valid.
func TestParse_taken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		kind     Kind
		document string
	}{
		"no version in a trust policy": {Trust, `{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`},
		"an Id":                        {Identity, `{"Version":"2012-10-17","Id":"a","Statement":{"Effect":"Allow","NotAction":"s3:a","NotResource":"*"}}`},
		"two empty Sids":               {Identity, `{"Version":"2012-10-17","Statement":[{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"}]}`},
		"an unknown service":           {Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3-s.x:a","Resource":"arn:aws-cn:s3:::b"}}`},
		"an empty condition":           {Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{}}}`},
		"a user with a variable":       {Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:iam::*:user/${aws:username}"}}`},
		"a deleted principal":          {Trust, `{"Statement":{"Effect":"Allow","Principal":{"AWS":"AROAABCDEFGHIJKLMNOPQ"},"Action":"sts:AssumeRole"}}`},
		"a session":                    {Trust, `{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/r/s"},"Action":"sts:AssumeRole"}}`},
		"the root user":                {Trust, `{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}}`},
		"a SAML provider":              {Trust, `{"Statement":{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:saml-provider/x"},"Action":"sts:AssumeRoleWithSAML"}}`},
		"NotPrincipal":                 {Trust, `{"Statement":{"Effect":"Allow","NotPrincipal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`},
		"an older session policy":      {Session, `{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`},
		"dates":                        {Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"DateLessThan":{"a":["2016-12-13T21:20:37.593194+00:00","2019-07-01T13:20Z","2019-07","0","9223372036854775807"]}}}}`},
	} {
		if _, err := Parse(tt.kind, []byte(tt.document)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestParse_bounded: neither size nor depth makes it work long.
func TestParse_bounded(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"deep lists":         `{"Version":"2012-10-17","Statement":` + strings.Repeat("[", 60000) + strings.Repeat("]", 60000) + `}`,
		"deep objects":       strings.Repeat(`{"Statement":`, 9000),
		"deep conditions":    `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":` + strings.Repeat(`{"StringEquals":`, 5000) + `1`,
		"deep values":        `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":` + strings.Repeat("[", 9000),
		"one byte too large": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}` + strings.Repeat(" ", MaxDocument),
		"invalid UTF-8":      "{\"Version\":\"2012-10-17\",\"Id\":\"\xff\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}",
	} {
		_, err := Parse(Identity, []byte(document))
		if wrong, ok := err.(*MalformedError); !ok || wrong.Message != textSyntax || len(err.Error()) > 300 {
			t.Errorf("%s: %.400v", name, err)
		}
	}
}

func TestKind_Size(t *testing.T) {
	t.Parallel()
	document := "{ \"Sid\":\t\"ä b\" }\r\n"
	if got := Trust.Size(document); got != 12 {
		t.Errorf("%d characters without white space", got)
	}
	if got := Session.Size(document); got != 18 {
		t.Errorf("%d characters", got)
	}
}

func TestMalformedError(t *testing.T) {
	t.Parallel()
	_, err := Parse(Trust, []byte(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:a","Condition":{"StringEqual":{}}}}`))
	if got, want := err.Error(), `/Statement/Condition/StringEqual: Syntax errors in policy. (no condition operator is called "StringEqual")`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
