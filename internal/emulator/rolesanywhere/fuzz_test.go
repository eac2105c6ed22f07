package rolesanywhere

import (
	"encoding/json/v2"
	"net/http"
	"testing"
	"time"

	"kedge/internal/emulator/wire"
)

// state is everything that a store has.
func (s *Store) state(t *testing.T) string {
	t.Helper()
	data, err := json.Marshal(s.resources, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// FuzzDo: nothing of a refused request is kept, what is answered has the operation's status, and
// nothing panics.
func FuzzDo(f *testing.F) {
	f.Add("POST", "/profiles", "", `{"name":"a","roleArns":["arn:aws:iam::111122223333:role/a"],"tags":[{"key":"a","value":""}],"aliasName":"a"}`)
	f.Add("PATCH", "/profile/arn%3Aaws%3Arolesanywhere%3Aus-east-1%3A111122223333%3Aprofile%2Fa", "", `{"aliasName":"","durationSeconds":900}`)
	f.Add("PUT", "/profiles/a/mappings", "", `{"certificateField":"x509SAN","mappingRules":[{"specifier":"Name/"}]}`)
	f.Add("DELETE", "/profiles/a/mappings", "certificateField=x509Subject&specifiers=CN", "")
	f.Add("POST", "/trustanchors", "", `{"name":"a","source":{"sourceType":"AWS_ACM_PCA","sourceData":{"acmPcaArn":"arn:aws:acm-pca:a"}},"notificationSettings":[{"event":"CA_CERTIFICATE_EXPIRY","enabled":true}]}`)
	f.Add("POST", "/crls", "", `{"name":"a","crlData":"AA==","trustAnchorArn":"arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/a"}`)
	f.Add("GET", "/profiles", "pageSize=1&nextToken=cHJvZmlsZSBh", "")
	f.Add("POST", "/TagResource", "", `{"resourceArn":"arn:aws:rolesanywhere:us-east-1:111122223333:profile/a","tags":[{"key":"a","value":"b"}]}`)
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		op, id, ok := Find(method, path)
		pairs, err := wire.ParseQuery(query)
		if !ok || err != nil {
			return
		}
		s, err := Open("")
		if err != nil {
			t.Fatal(err)
		}
		p := &Profile{Base: Base{ARN: "arn:aws:rolesanywhere:us-east-1:111122223333:profile/a", Name: "a", Alias: "a/b"}, DurationSeconds: 900}
		p.SetDefaultMappings()
		if err := s.SeedProfile(p, time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
		before := s.state(t)
		request := wire.Request{Method: method, Path: path, RawQuery: query, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
		caller := wire.Caller{Account: "111122223333", Region: "us-east-1"}
		answer, refusal := s.Do(op, Call{Caller: caller, Now: time.Unix(1, 0), ID: id, Query: pairs, Request: request})
		if refusal == nil {
			if _, err := json.Marshal(answer); err != nil {
				t.Errorf("the answer: %v", err)
			}
			return
		}
		if refusal.Status < 400 || refusal.Status > 499 {
			t.Errorf("%d %v", refusal.Status, refusal)
		}
		if after := s.state(t); after != before {
			t.Errorf("%v, and changed:\n%s", refusal, after)
		}
	})
}
