package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// unquoted is the advice where a path with spaces came in pieces: the value of a flag and arguments
// that nobody asked for are the name of a file together. It is empty where they are not.
func unquoted(flags *pflag.FlagSet, args []string) (hint string) {
	flags.Visit(func(flag *pflag.Flag) {
		path, ok := joined(flag.Value.String(), args)
		if ok && hint == "" {
			hint = fmt.Sprintf(`put quotes around a path with spaces: --%s "%s"`, flag.Name, path)
		}
	})
	return hint
}

// maxPieces bounds the arguments that are inspected.
const maxPieces = 16

// joined finds a file whose path is the value and some of the arguments after it.
func joined(value string, args []string) (path string, ok bool) {
	if value == "" {
		return "", false
	}
	args = args[:min(len(args), maxPieces)]
	for from := range args {
		for to := from + 1; to <= len(args); to++ {
			path := value + " " + strings.Join(args[from:to], " ")
			if info, err := os.Stat(path); err == nil && !info.IsDir() {
				return path, true
			}
		}
	}
	return "", false
}
