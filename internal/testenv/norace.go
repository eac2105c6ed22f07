//go:build !race

package testenv

// Slowdown is by how much less tests do that take long: 4 under the race detector, 1 without it.
const Slowdown = 1
