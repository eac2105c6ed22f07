package ledger

import "testing"

func TestFoldSQL(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{" -- nothing\n", ""},
		{"CREATE  TABLE\tt\r\n(a) ", "CREATE TABLE t (a)"},
		{"a -- of the -- entry\n  , b--", "a , b"},
		{"a/* b */c/**/d /*/ e */ f", "a c d f"},
		{"a /* and /* one */ b */", "a b */"},
		{"'  -- it''s  /*  ' -- x", "'  -- it''s  /*  '"},
		{`"a  b" [c  -- ] ` + "`d  '`  '", `"a  b" [c  -- ] ` + "`d  '` '"},
		{"a '\n", "a '\n"},
		{"a\u00a0\u2003\u0085\vb", "a\u00a0\u2003\u0085\vb"},
		{"a --\x00\n  b", "a --\x00\n  b"},
	} {
		if got := foldSQL(tt.text); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
		if got := foldSQL(foldSQL(tt.text)); got != tt.want {
			t.Errorf("%q, twice: got %q, want %q", tt.text, got, tt.want)
		}
	}
}
