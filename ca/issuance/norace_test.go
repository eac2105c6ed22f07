//go:build !race

package issuance_test

const slowdown = 1
