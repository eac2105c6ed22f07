//go:build race

package issuance_test

// slowdown is by how much less a test does that is slow under the race detector.
const slowdown = 4
