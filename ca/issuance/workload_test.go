package issuance

import "testing"

// TestTally_words: who needs a root, in the words of a question and of a warning.
func TestTally_words(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		tally      Tally
		need, left string
	}{
		{Tally{}, "", ""},
		{Tally{Moved: 3}, "", ""},
		{Tally{Remaining: 1, Named: []string{"a"}}, "1 host needs (a)", "1 host is left behind (a)"},
		{Tally{Moved: 1, Remaining: 2, Named: []string{"a", "b"}}, "2 hosts need (a, b)", "2 hosts are left behind (a, b)"},
		{Tally{Remaining: 6, Named: []string{"a", "b", "c", "d", "e", "f"}}, "6 hosts need (a, b, c, d, e and 1 more)", "6 hosts are left behind (a, b, c, d, e, f)"},
		{Tally{Remaining: 30, Named: []string{"a", "b"}}, "30 hosts need (a, b and 28 more)", "30 hosts are left behind (a, b and 28 more)"},
	} {
		if need, left := tt.tally.Need(), tt.tally.LeftBehind(); need != tt.need || left != tt.left {
			t.Errorf("%+v: %q and %q", tt.tally, need, left)
		}
	}
}
