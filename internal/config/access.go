package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
)

// accessOfOthers returns what users other than the owner can do with a secret file of this mode, as the end
// of a sentence, or "" if the mode is right. A file that its group can read is right: systemd, Kubernetes
// and service users lay keys out so. Windows has no such bits; its access lists are not checked.
func accessOfOthers(mode fs.FileMode) string {
	switch {
	case runtime.GOOS == "windows":
		return ""
	case mode.Perm()&0o007 != 0:
		return "can be read by other users"
	case mode.Perm()&0o020 != 0:
		return "can be changed by its group"
	}
	return ""
}

// DescribeAccess describes, for a path that could not be opened for lack of permission, who owns
// what is in the way, its mode, and which user this process runs as. It is empty where the
// system has no such notions.
func DescribeAccess(path string) string {
	obstacle, info := path, fs.FileInfo(nil)
	for {
		var err error
		if info, err = os.Stat(obstacle); err == nil {
			break
		}
		// A folder that may not be entered hides what is in it: say which one.
		parent := filepath.Dir(obstacle)
		if parent == obstacle || !errors.Is(err, fs.ErrPermission) {
			return ""
		}
		obstacle = parent
	}
	owner, me := ownerOf(info)
	if owner == "" {
		return ""
	}
	return fmt.Sprintf("%s has mode %04o and belongs to %s; this process runs as %s", obstacle, info.Mode().Perm(), owner, me)
}

// PrivateGroup returns the name of this user's primary group if it is that of the user, as Debian and Red Hat make
// one for each; empty for a group such as users or staff, which has other members.
func PrivateGroup() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	g, err := user.LookupGroupId(u.Gid)
	if err != nil || g.Name != u.Username {
		return ""
	}
	return g.Name
}

// IsOwner reports whether a file or folder is there and belongs to the user that this process runs as.
func IsOwner(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	owner, me := ownerOf(info)
	return owner != "" && owner == me
}

// Owner returns the name of the user that a file or folder belongs to; empty if that is not known.
func Owner(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	owner, _ := ownerOf(info)
	name, _, _ := strings.Cut(owner, " (uid ")
	return name
}
