// Package archtest holds the rules of who may import and use what, as tests. They parse the
// source files themselves: a test that asks the go command is served from the test cache
// after a change elsewhere.
package archtest
