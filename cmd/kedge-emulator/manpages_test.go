package main

import (
	"testing"

	"kedge/internal/cli"
	"kedge/scripts/packages/manpages"
)

// TestManPages: each command has a manual page with all of its flags. make packages has this test write them.
func TestManPages(t *testing.T) { manpages.Check(t, newRoot(cli.Streams{}, serve)) }
