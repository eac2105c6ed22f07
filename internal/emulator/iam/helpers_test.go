package iam

import (
	"encoding/xml"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"
)

const (
	testAccount = "111122223333"
	testTrust   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	testPolicy  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	allowAll    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
)

var testNow = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// newTestStore returns a store with an administrator.
func newTestStore(t testing.TB) *Store {
	t.Helper()
	s := New()
	configure(t, s, adminConfig())
	return s
}

func adminConfig() Config {
	return Config{Users: []UserConfig{{
		ARN: userARN("admin"), ID: "AIDAAAAAAAAAAAAAAAAAA", Keys: map[string]string{"AKIAIOSFODNN7EXAMPLE": "secret"},
		Permissions: Permissions{Attached: []string{awsARN("aws", AdministratorAccess)}},
	}}}
}

func configure(t testing.TB, s *Store, c Config) {
	t.Helper()
	if _, err := s.Configure(c, testNow); err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, s *Store, c Config) {
	t.Helper()
	if err := s.Put(c, testNow); err != nil {
		t.Fatal(err)
	}
}

func userARN(name string) string { return "arn:aws:iam::" + testAccount + ":user/" + name }
func roleARN(name string) string { return "arn:aws:iam::" + testAccount + ":role/" + name }

func policyARN(name string) string { return "arn:aws:iam::" + testAccount + ":policy/" + name }

func admin() Caller { return Caller{ARN: userARN("admin"), Account: testAccount} }

// parameters are NAME, VALUE, NAME, VALUE, …
func do(s *Store, c Caller, action string, parameters ...string) (*Answer, error) {
	all := map[string]string{"Action": action, "Version": Version}
	for i := 0; i < len(parameters); i += 2 {
		all[parameters[i]] = parameters[i+1]
	}
	return s.Do(Call{Parameters: all, Caller: c, Now: testNow})
}

// must performs a call of the administrator, and returns the elements of the answer.
func must(t testing.TB, s *Store, action string, parameters ...string) elements {
	t.Helper()
	answer, err := do(s, admin(), action, parameters...)
	if err != nil {
		t.Fatalf("%s: %v", action, err)
	}
	return parse(t, answer)
}

// refused performs a call that must be refused with this error.
func refused(t testing.TB, s *Store, want string, action string, parameters ...string) {
	t.Helper()
	_, err := do(s, admin(), action, parameters...)
	wantError(t, err, want)
}

func wantError(t testing.TB, err error, want string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

// elements are the texts of an answer's elements by their paths below the result, with the numbers of the
// members of lists: "Role/Tags/1/Key".
type elements map[string]string

func parse(t testing.TB, a *Answer) elements {
	t.Helper()
	found := elements{}
	d := xml.NewDecoder(strings.NewReader(body(t, a)))
	var path []string
	members := map[string]int{}
	for {
		token, err := d.Token()
		if token == nil {
			if len(path) != 0 {
				t.Fatalf("%v: %s", err, body(t, a))
			}
			break
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			if name == "member" {
				list := strings.Join(path, "/")
				members[list]++
				name = string(rune('0' + members[list]))
			}
			path = append(path, name)
			found[strings.Join(path, "/")] = ""
		case xml.CharData:
			found[strings.Join(path, "/")] += string(token)
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
	result := elements{}
	for key, value := range found {
		if rest, ok := strings.CutPrefix(key, a.action+"Response/"+a.action+"Result/"); ok {
			result[rest] = value
		}
	}
	return result
}

func body(t testing.TB, a *Answer) string {
	t.Helper()
	a.SetRequestID("id")
	content, err := xml.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func (e elements) want(t testing.TB, want map[string]string) {
	t.Helper()
	for path, value := range want {
		if got, ok := e[path]; !ok || got != value {
			t.Errorf("%s is %q, want %q in %v", path, got, value, sortedKeys(maps.Clone(e)))
		}
	}
}

func (e elements) has(path string) bool { _, ok := e[path]; return ok }
