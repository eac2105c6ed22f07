package main

import (
	"github.com/spf13/cobra"

	"kedge/internal/cli"
)

func newVersion(h host) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  kedge version",
		RunE:    func(*cobra.Command, []string) error { return h.print([]byte(cli.Version() + "\n")) },
	}
}
