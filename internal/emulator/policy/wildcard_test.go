package policy

import (
	"strings"
	"testing"
)

// TestMatch_steps: a pattern made to go back for ever takes steps in the order of its length times
// that of the text. It would not end at all in an expression that tries every way.
func TestMatch_steps(t *testing.T) {
	t.Parallel()
	p := newPattern(strings.Repeat("*a", 2000) + "*b")
	s := []rune(strings.Repeat("a", 2048))
	if p.match(s) || p.matchClasses(s) || p.matchResource(string(s)) || newPattern("a:b:c:d:e:"+strings.Repeat("*a", 2000)+"b").matchARN("a:b:c:d:e:"+string(s)) {
		t.Error("matches")
	}
}
