package main

import (
	"strings"
	"testing"
)

func TestAccounted(t *testing.T) {
	for _, c := range []struct {
		name, got, recorded string
		unanswered          int
		want                bool
	}{
		{"all of it", "a b", "a b", 0, true},
		{"an answer was lost, and its successor came", "a c", "a b c", 1, true},
		{"a second for one request", "a c", "a b c", 0, false},
		{"more than answers were lost", "a d", "a b c d", 1, false},
		{"the newest is not the host's", "a", "a b", 1, false},
		{"one that the ledger has not", "a x", "a", 0, false},
		{"another order", "b a", "a b", 1, false},
		{"no entry at all", "a", "", 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if accounted(strings.Fields(c.got), strings.Fields(c.recorded), c.unanswered) != c.want {
				t.Errorf("accounted(%q, %q, %d) is not %t", c.got, c.recorded, c.unanswered, c.want)
			}
		})
	}
}
