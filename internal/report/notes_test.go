package report

import (
	"slices"
	"testing"
)

func TestNotes(t *testing.T) {
	t.Parallel()
	var n Notes
	n.Done("revoked %q", "100%")
	n.Warn("it is late")
	n.Next("kedge-ca crl")
	if want := (Notes{{"done", `revoked "100%"`}, {"warning", "it is late"}, {"next", "kedge-ca crl"}}); !slices.Equal(n, want) {
		t.Errorf("%q, want %q", n, want)
	}
}

func TestFirstOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		names       []string
		most, total int
		want        string
	}{
		{nil, 3, 0, ""},
		{[]string{"a"}, 3, 1, "a"},
		{[]string{"a", "b", "c"}, 3, 3, "a, b, c"},
		{[]string{"a", "b", "c", "d"}, 3, 4, "a, b, c and 1 more"},
		{[]string{"a", "b"}, 2, 9, "a, b and 7 more"},
		{[]string{"a"}, 5, 2, "a and 1 more"},
	} {
		if got := FirstOf(tt.names, tt.most, tt.total); got != tt.want {
			t.Errorf("%v, %d, %d: %q, want %q", tt.names, tt.most, tt.total, got, tt.want)
		}
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0 hosts", 1: "1 host", 2: "2 hosts", 11: "11 hosts"} {
		if got := Count(n, "host"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
