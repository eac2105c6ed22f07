package awsadmin

import "testing"

// TestPattern_wide: a pattern in the place of another one matches no more than its runs cross.
func TestPattern_wide(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"web-*": "web-**", "*.web-**": "**.web-**", "web-?": "", "web-*?": "", "*?*": ""} {
		if got := parsePattern(text).wide(); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
