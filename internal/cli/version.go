package cli

import (
	"runtime/debug"
	"strings"
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
