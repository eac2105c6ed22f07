package policy

import (
	"encoding/json/v2"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse: a document is parsed or refused as malformed, without a panic; what is parsed is
// evaluated, the same each time.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":["sts:AssumeRole"],"Condition":{"StringLike":{"aws:PrincipalTag/x509Subject/CN":"${a, 'b'}*"}}}]}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":"*","NotResource":["arn:aws:s3:::${a}/?*"],"Condition":{"ForAllValues:DateLessThanIfExists":{"a":[1,"2026-01-01"]}}}}`,
		`{"Statement":[{"Effect":"Allow","NotPrincipal":"*","Action":"sts:*","Condition":{"Null":{"a":true}}}]}`,
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:role\/a","111122223333"]},"Action":"sts:*"}]}`,
		`{"Statement":[[[[`, `{"a":1,"a":2}`, "\xff", `[]`, `""`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		for _, kind := range []Kind{Identity, Trust, Session, Boundary} {
			doc, err := Parse(kind, []byte(document))
			if err != nil {
				if _, ok := errors.AsType[*MalformedError](err); !ok || doc != nil {
					t.Fatalf("%T %v, %+v", err, err, doc)
				}
				continue
			}
			request := certificate().Requests()[0]
			if a, b := doc.Evaluate(&request), doc.Evaluate(&request); !reflect.DeepEqual(a, b) {
				t.Errorf("%+v\n%+v", a, b)
			}
			if kind == Trust {
				checkRenamed(t, doc, document)
			}
		}
	})
}

// checkRenamed: a document with other names of principals is the one that its text has.
func checkRenamed(t *testing.T, doc *Document, text string) {
	after, text := doc.Rename(text, func(name string) string {
		if strings.HasPrefix(name, "arn:") {
			return "AROAAAAAAAAAAAAAAAAAA"
		}
		return name
	})
	again, err := Parse(Trust, []byte(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for i, s := range again.Statements {
		if !slices.Equal(s.Principal.Values, after.Statements[i].Principal.Values) {
			t.Errorf("%q, and in the text %q", after.Statements[i].Principal.Values, s.Principal.Values)
		}
	}
}

// FuzzVariable: text without "${" is itself; a value never has more variables replaced than it has.
func FuzzVariable(f *testing.F) {
	for _, seed := range []string{"", "a*?", "${a}", "${a", "${*}${?}${$}", "${a, 'b}c'}d", "$${a}", "${}", "${a, '"} {
		f.Add(seed, "x${a}*")
	}
	f.Fuzz(func(t *testing.T, s, replaced string) {
		if !utf8.ValidString(s) || !utf8.ValidString(replaced) {
			t.Skip("documents are JSON, and values are text: two halves could become one character")
		}
		context := NewContext(map[string][]string{"a": {replaced}})
		v := expander{version2012, &context}.expand(s)
		if !strings.Contains(s, "${") && v.text != s {
			t.Errorf("%q becomes %q", s, v.text)
		}
		if len(v.text) > len(s)+strings.Count(s, "${")*len(replaced) {
			t.Errorf("%q becomes %q", s, v.text)
		}
		if old := (expander{version2008, &context}).expand(s); old.text != s || !old.resolved {
			t.Errorf("version 2008: %q becomes %q", s, old.text)
		}
		// What it stands for matches itself, unless it has wildcards of its own.
		if v.resolved && !strings.ContainsAny(strings.ReplaceAll(s, "${", ""), "*?") && !v.like(v.text) {
			t.Errorf("%q does not match %q", s, v.text)
		}
	})
}

// material is what the fuzzer's bytes choose from: few names and values, so that they meet.
type material struct{ bytes []byte }

func (m *material) next(n int) int {
	if len(m.bytes) == 0 {
		return 0
	}
	b := m.bytes[0]
	m.bytes = m.bytes[1:]
	return int(b) % n
}

func (m *material) pick(from ...string) string { return from[m.next(len(from))] }

func (m *material) values() []string {
	var all []string
	for range 1 + m.next(2) {
		all = append(all, m.pick("a", "b", "A", "*", "a?", "${k2}", "${k3, 'a'}", "${*}", "", "7", "7.0", "true", "false", "2026-11-29", "203.0.113.0/24", "203.0.113.7", "arn:aws:s3:::a", "arn:aws:*:*:*:*", "YQ=="))
	}
	return all
}

func (m *material) condition() Condition {
	base := m.pick("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringLike", "StringNotLike", "ArnLike", "ArnNotEquals", "NumericEquals",
		"NumericLessThan", "NumericNotEquals", "DateGreaterThanEquals", "DateNotEquals", "Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null")
	o, ok := operatorNamed(m.pick("", "", "ForAllValues:", "ForAnyValue:") + base + m.pick("", "", "IfExists"))
	if !ok { // Null takes neither
		o, _ = operatorNamed(base)
	}
	return newCondition(o, m.pick("k1", "k2", "K3"), m.values())
}

func (m *material) statement() Statement {
	s := Statement{
		Effect:    Effect(m.pick("Allow", "Allow", "Deny")),
		Principal: Element{m.pick("Principal", "Principal", "NotPrincipal"), []string{m.pick("*", "Service:"+RolesAnywhere, "AWS:111122223333")}},
		Action:    Element{m.pick("Action", "NotAction"), []string{m.pick("sts:*", "sts:AssumeRole", "sts:Tag*")}},
	}
	for range m.next(3) {
		s.Conditions = append(s.Conditions, m.condition())
	}
	return s
}

func (m *material) document() *Document {
	doc := &Document{Version: m.pick(version2012, version2012, version2008)}
	for range 1 + m.next(3) {
		doc.Statements = append(doc.Statements, m.statement())
	}
	return doc
}

func (m *material) request() Request {
	r := Request{Principal: Principal{Service: RolesAnywhere}, Action: m.pick(AssumeRole, TagSession)}
	for _, key := range []string{"k1", "k2", "k3"} {
		if m.next(4) > 0 {
			r.Context.Set(key, m.values()...)
		}
	}
	return r
}

// FuzzDeny: one more statement that denies never allows more, wherever it stands; nor does one that
// allows take a right away, unless something denies.
func FuzzDeny(f *testing.F) {
	seedMaterial(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		m := &material{data}
		doc, request, extra := m.document(), m.request(), m.statement()
		before := doc.Evaluate(&request).Outcome
		extra.Effect = Deny
		more := &Document{Version: doc.Version, Statements: slices.Insert(slices.Clone(doc.Statements), m.next(len(doc.Statements)+1), extra)}
		after := more.Evaluate(&request).Outcome
		if after == Allowed && before != Allowed || before == ExplicitDeny && after != ExplicitDeny {
			t.Errorf("%s becomes %s by %+v", before, after, extra)
		}
	})
}

// FuzzCondition: one more condition on a statement that allows never allows more. On one that denies
// it never denies more.
func FuzzCondition(f *testing.F) {
	seedMaterial(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		m := &material{data}
		doc, request, extra := m.document(), m.request(), m.condition()
		i := m.next(len(doc.Statements))
		more := &Document{Version: doc.Version, Statements: slices.Clone(doc.Statements)}
		more.Statements[i].Conditions = append(slices.Clone(doc.Statements[i].Conditions), extra)
		before, after := doc.Evaluate(&request), more.Evaluate(&request)
		if after.Statements[i].Applies && !before.Statements[i].Applies {
			t.Errorf("the statement applies by %+v", extra)
		}
		if doc.Statements[i].Effect == Allow && after.Outcome == Allowed && before.Outcome != Allowed {
			t.Errorf("allowed by %+v", extra)
		}
	})
}

// FuzzAbsent: without a key, a condition on it is met only by operators that the guide names: negated
// ones, IfExists, ForAllValues and Null. Removing a tag never makes another operator true.
func FuzzAbsent(f *testing.F) {
	seedMaterial(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		m := &material{data}
		c, request := m.condition(), m.request()
		var without Context
		for _, key := range []string{"k1", "k2", "k3"} {
			if !strings.EqualFold(key, c.Key) {
				without.Set(key, request.Context.Values(key)...)
			}
		}
		r := c.evaluate(expander{version2012, &without})
		o := c.Operator
		if r.Met && !o.negated && !o.ifExists && o.set != forAllValues && o.compare != null {
			t.Errorf("met without its key: %+v", r)
		}
		if o.set == forAnyValue && !o.ifExists && r.Met {
			t.Errorf("ForAnyValue is met by nothing: %+v", r)
		}
	})
}

// FuzzNegation: with a single value in the request and no variables, an operator and its negation
// never agree.
func FuzzNegation(f *testing.F) {
	seedMaterial(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		m := &material{data}
		c := m.condition()
		context := NewContext(map[string][]string{c.Key: {m.pick("a", "b", "7", "true", "203.0.113.7", "arn:aws:s3:::a", "2026-11-29")}})
		e := expander{version2008, &context}
		opposite := c
		opposite.Operator.negated = !c.Operator.negated
		if c.Operator.compare != null && c.evaluate(e).Met == opposite.evaluate(e).Met {
			data, _ := json.Marshal(c.evaluate(e))
			t.Errorf("both or none: %s", data)
		}
	})
}

func seedMaterial(f *testing.F) {
	f.Add([]byte(nil))
	for i := range 64 {
		seed := make([]byte, 48)
		for j := range seed {
			seed[j] = byte((i + 1) * (j + 3) * 7)
		}
		f.Add(seed)
	}
}
