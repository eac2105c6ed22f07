package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// The extended attributes in which Linux keeps the access lists of a file: acl(5), and that of NFS
// 4.
const (
	posixACL = "system.posix_acl_access"
	nfs4ACL  = "system.nfs4_acl"
)

// copyAttributes copies the access list and the user attributes of an old file to a new one, and
// removes the access list that the new one inherited from its folder. Other attributes, such as the
// SELinux label, stay as the system set them.
func copyAttributes(to, from *os.File) error {
	old, err := attributes(from)
	if err != nil {
		return fmt.Errorf("keep its attributes: %w", err)
	}
	have, err := attributes(to)
	if err != nil {
		return fmt.Errorf("keep its attributes: %w", err)
	}
	for name := range have {
		if _, kept := old[name]; !kept {
			if err := unix.Fremovexattr(int(to.Fd()), name); err != nil {
				return fmt.Errorf("have no %s: %w", attributeName(name), err)
			}
		}
	}
	for name, value := range old {
		if was, there := have[name]; there && bytes.Equal(was, value) {
			continue
		}
		if err := unix.Fsetxattr(int(to.Fd()), name, value, 0); err != nil {
			return fmt.Errorf("keep its %s: %w", attributeName(name), err)
		}
	}
	return nil
}

// attributeName returns the usual name of an attribute.
func attributeName(name string) string {
	if name == posixACL || name == nfs4ACL {
		return "access control list"
	}
	return "attribute " + name
}

// attributes returns the access lists and user attributes of an open file.
func attributes(file *os.File) (map[string][]byte, error) {
	fd := int(file.Fd())
	list, err := grow(func(b []byte) (int, error) { return unix.Flistxattr(fd, b) })
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENOSYS) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found := map[string][]byte{}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		if !slices.Contains([]string{posixACL, nfs4ACL}, name) && !strings.HasPrefix(name, "user.") {
			continue
		}
		value, err := grow(func(b []byte) (int, error) { return unix.Fgetxattr(fd, name, b) })
		if err != nil && !errors.Is(err, unix.ENODATA) {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err == nil {
			found[name] = value
		}
	}
	return found, nil
}

// grow calls get with a buffer of the size that it asks for, again if the size has changed.
func grow(get func([]byte) (int, error)) ([]byte, error) {
	for {
		n, err := get(nil)
		if err != nil || n == 0 {
			return nil, err
		}
		b := make([]byte, n)
		if n, err = get(b); !errors.Is(err, unix.ERANGE) {
			return b[:max(n, 0)], err
		}
	}
}
