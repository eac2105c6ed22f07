package cli

import (
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// Version returns the version of this program without a leading "v", from the build
// information: the tag, what the Go command made of an untagged commit, or "devel".
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	version := strings.Trim(strings.TrimPrefix(info.Main.Version, "v"), "()")
	if version == "" {
		return "devel"
	}
	return version
}

// PrintVersion writes the version to standard output, as a line.
func PrintVersion(out io.Writer) error {
	if _, err := fmt.Fprintln(out, Version()); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// NewVersion makes the command "version" of a program.
func NewVersion(program string) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  " + program + " version",
		RunE:    func(cmd *cobra.Command, _ []string) error { return PrintVersion(cmd.OutOrStdout()) },
	}
}
