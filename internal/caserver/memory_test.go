package caserver

import (
	"math"
	"runtime/debug"
	"testing"
)

// TestMemory: the limit grows with the connections above the default, and one that is set stays.
func TestMemory(t *testing.T) {
	before := debug.SetMemoryLimit(math.MaxInt64)
	defer debug.SetMemoryLimit(before)
	m := newMemory(besidePages)
	for connections, want := range map[int]int64{1: 52 << 20, 512: 52 << 20, 513: 52<<20 + 64<<10, 4096: 276 << 20} {
		m.limit(connections)
		if got := debug.SetMemoryLimit(-1); got != want {
			t.Errorf("%d connections: %d, want %d", connections, got, want)
		}
	}
	const set = 1 << 30
	debug.SetMemoryLimit(set)
	newMemory(besideServer).limit(4096)
	if got := debug.SetMemoryLimit(-1); got != set {
		t.Errorf("a limit that was set became %d", got)
	}
}
