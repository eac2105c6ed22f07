package cli

import (
	"fmt"
	"io"
	"runtime"
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
func PrintVersion(out io.Writer) error { return writeVersion(out, Version()+"\n") }

func writeVersion(out io.Writer, text string) error {
	if _, err := io.WriteString(out, text); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// NewVersion makes the command "version" of a program.
func NewVersion(program string) *cobra.Command {
	document := false
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Example: "  " + program + " version\n" +
			"  " + program + " version --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if document {
				return writeVersion(cmd.OutOrStdout(), versionJSON(program, Version()))
			}
			return PrintVersion(cmd.OutOrStdout())
		},
	}
	AddJSON(cmd.Flags(), &document)
	return cmd
}

// versionJSON needs no encoder: versions have no characters that JSON and Go quote differently.
func versionJSON(program, version string) string {
	return fmt.Sprintf("{\n  \"schema\": 1,\n  \"program\": %q,\n  \"version\": %q,\n  \"go\": %q,\n  \"platform\": %q\n}\n",
		program, version, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
}
