package arn

import "testing"

// TestParse: what Parse takes prints as it was, and an ARN has six parts, the last with its colons.
func TestParse(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:role/path/a:b:c", "arn:aws-cn:iam::111122223333:role/a"} {
		if a, err := Parse(s, "iam", "role"); err != nil || a.String() != s {
			t.Errorf("%s: %s, %v", s, a, err)
		}
	}
	for _, s := range []string{"", "arn", "arn:aws:iam::111122223333", "arn:aws:iam::111122223333role/a", "nra:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:user/a", "arn:aws:iam::111122223333:role/"} {
		if a, err := Parse(s, "iam", "role"); err == nil {
			t.Errorf("%s: %+v", s, a)
		}
	}
	if id := (ARN{Resource: "role/path/a"}).ID(); id != "a" {
		t.Errorf("id %s", id)
	}
}
