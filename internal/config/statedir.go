package config

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

// systemState is where the identities of a host are that belong to the machine.
const systemState = "/var/lib/kedge"

// StateDir returns the folder with the identities of enrolled hosts, which need not be there: what
// KEDGE_STATE_DIR names; else for root, and for the user that owns it, /var/lib/kedge; for others one of
// their own.
func StateDir(env Environment) (string, error) {
	if dir := env.Variable("state-dir"); dir != "" {
		return filepath.Abs(dir)
	}
	if runtime.GOOS == "windows" {
		dir, err := os.UserCacheDir() // %LocalAppData%
		return filepath.Join(dir, "kedge", "hosts"), err
	}
	if os.Geteuid() == 0 {
		return systemState, nil
	}
	if info, err := os.Stat(systemState); err == nil {
		if owner, me := ownerOf(info); owner == me {
			return systemState, nil
		}
	}
	if dir, _ := env.Lookup("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "kedge"), nil
	}
	home, _ := env.Lookup("HOME")
	if !filepath.IsAbs(home) {
		return "", errors.New("neither XDG_STATE_HOME nor HOME says where this user's files are: name a folder with --dir")
	}
	return filepath.Join(home, ".local", "state", "kedge"), nil
}
