package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// VariableOf names the environment variable that stands for a flag, as KEDGE_TRUST_ANCHOR_ARN
// does for --trust-anchor-arn.
func VariableOf(flag string) string {
	return "KEDGE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Variable returns the value in the environment for a flag; an empty one is like no variable.
func Variable(flag string) string { return os.Getenv(VariableOf(flag)) }

// SystemDir is the folder of the system's configuration: /etc/kedge, or kedge in ProgramData.
func SystemDir() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(os.Getenv("ProgramData"), "kedge")
	}
	return "/etc/kedge"
}

// FromFolder completes a reference to a file that is relative to dir. Any other stays as it is.
func FromFolder(dir, ref string) string {
	in, err := ParseInput(ref)
	if path, ok := in.Path(); err == nil && ok && !filepath.IsAbs(path) {
		return filepath.Join(dir, path)
	}
	return ref
}
