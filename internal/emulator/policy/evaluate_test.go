package policy

import (
	"reflect"
	"testing"
)

// TestEvaluate_reasons: statement by statement and condition by condition, with the values that were
// there, whether the statement applies or not.
func TestEvaluate_reasons(t *testing.T) {
	t.Parallel()
	doc := mustParse(t, Trust, `{"Version":"2012-10-17","Statement":[
		{"Sid":"hosts","Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":["sts:AssumeRole"],
		 "Condition":{"StringEquals":{"aws:PrincipalTag/x509Subject/CN":["a","${sts:SourceIdentity}"]},"StringLike":{"AWS:Nothing":"*"},"Null":{"aws:SourceArn":"false"}}},
		{"Effect":"Deny","Principal":{"AWS":"*"},"NotAction":"sts:AssumeRole","Condition":{"StringNotEquals":{"a":"${b}"}}}]}`)
	request := Request{Principal: Principal{Service: RolesAnywhere}, Action: AssumeRole, Resource: "arn:aws:iam::111122223333:role/app", Context: NewContext(map[string][]string{
		"aws:PrincipalTag/x509Subject/CN": {"web-01"}, "sts:SourceIdentity": {"CN=web-01"}, "aws:SourceArn": {"arn"}, "a": {"1"},
	})}
	want := Result{Outcome: ImplicitDeny, Statements: []StatementResult{
		{
			Index: 0, Sid: "hosts", Effect: Allow, Match: ByName,
			Elements: []ElementResult{
				{"Principal", []string{"Service:rolesanywhere.amazonaws.com"}, RolesAnywhere, true},
				{"Action", []string{"sts:AssumeRole"}, AssumeRole, true},
			},
			Conditions: []ConditionResult{
				{"StringEquals", "aws:PrincipalTag/x509Subject/CN", []string{"a", "${sts:SourceIdentity}"}, []string{"a", "CN=web-01"}, []string{"web-01"}, false, Compared},
				{"StringLike", "AWS:Nothing", []string{"*"}, nil, nil, false, Absent},
				{"Null", "aws:SourceArn", []string{"false"}, nil, []string{"arn"}, true, Existence},
			},
		},
		{
			Index: 1, Effect: Deny, Match: Everyone,
			Elements: []ElementResult{
				{"Principal", []string{"*"}, RolesAnywhere, true},
				{"NotAction", []string{"sts:AssumeRole"}, AssumeRole, false},
			},
			Conditions: []ConditionResult{{"StringNotEquals", "a", []string{"${b}"}, []string{""}, []string{"1"}, false, Unresolved}},
		},
	}}
	for range 20 { // the same each time
		if got := doc.Evaluate(&request); !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v\nwant %+v", got, want)
		}
	}
}

// TestContext: names of keys ignore case; a key without values is absent.
func TestContext(t *testing.T) {
	t.Parallel()
	c := NewContext(map[string][]string{"aws:PrincipalTag/Ä": {"x"}, "empty": {}})
	if got := c.Values("AWS:principaltag/ä"); len(got) != 1 || got[0] != "x" {
		t.Errorf("%v", got)
	}
	if c.Values("empty") != nil || new(Context).Values("x") != nil {
		t.Error("a key without values is there")
	}
}

// TestMatch_wildcards: the two matchers agree with a plain one on every short pattern and text.
func TestMatch_wildcards(t *testing.T) {
	t.Parallel()
	var plain func(p, s string) bool
	plain = func(p, s string) bool {
		switch {
		case p == "":
			return s == ""
		case p[0] == '*':
			return plain(p[1:], s) || s != "" && plain(p, s[1:])
		}
		return s != "" && (p[0] == '?' || p[0] == s[0]) && plain(p[1:], s[1:])
	}
	texts, patterns := words("ab", 5), words("ab*?", 5)
	for _, p := range patterns {
		compiled := newPattern(p)
		for _, s := range texts {
			want := plain(p, s)
			if compiled.match([]rune(s)) != want || compiled.matchClasses([]rune(s)) != want {
				t.Fatalf("%q, %q: want %t", p, s, want)
			}
		}
	}
}

// words returns every text of an alphabet up to a length.
func words(alphabet string, length int) []string {
	all := []string{""}
	for start := 0; length > 0; length-- {
		end := len(all)
		for _, w := range all[start:end] {
			for _, r := range alphabet {
				all = append(all, w+string(r))
			}
		}
		start = end
	}
	return all
}
