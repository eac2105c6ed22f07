package main

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// texts is a flag that can be given several times. It does what pflag's own does, without the
// 4 KiB that that one formats its empty default with: credential-process has five such flags.
type texts []string

var _ pflag.SliceValue = (*texts)(nil)

func (t *texts) Type() string   { return "stringArray" }
func (t *texts) String() string { return strings.Join(*t, ",") }

// Set adds one more.
func (t *texts) Set(text string) error { return t.Append(text) }

// Append adds one more.
func (t *texts) Append(text string) error {
	*t = append(*t, text)
	return nil
}

// Replace takes these for all there were.
func (t *texts) Replace(all []string) error {
	*t = slices.Clone(all)
	return nil
}

// GetSlice returns all of them.
func (t *texts) GetSlice() []string { return *t }
