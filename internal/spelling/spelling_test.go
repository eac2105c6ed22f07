package spelling

import "testing"

func TestClosest(t *testing.T) {
	t.Parallel()
	names := []string{"issue", "list", "ledger", "renew", "revoke", "status", "certificate", "dir"}
	for word, want := range map[string]string{
		"isue": "issue", "issue ": "issue", "statsu": "status", "revok": "revoke", "rewoke": "revoke", "cert": "certificate", "dirr": "dir", "le": "ledger",
		"ls": "", "x": "", "": "", "nosuch": "", "reveal": "", "renewrenewrenewrenewrenewrenewrenewrenewrenew": "",
	} {
		if got := Closest(word, names); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"wrok", "work", 2}, {"same", "same", 0}} {
		if got := Distance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q, %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{"legder": "did you mean ledger? ", "nosuch": ""} {
		if got := DidYouMean(word, []string{"crl", "ledger"}); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
