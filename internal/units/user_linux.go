package units

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Become makes this process one of the user, with that user's groups and home. There is no way back.
func Become() error {
	u, err := user.Lookup(User)
	if err != nil {
		return err
	}
	uid, gid, err := ids(u)
	if err != nil {
		return err
	}
	texts, err := u.GroupIds()
	if err != nil {
		return err
	}
	var groups []int
	for _, text := range texts {
		if id, err := strconv.Atoi(text); err == nil {
			groups = append(groups, id)
		}
	}
	if err := os.Setenv("HOME", u.HomeDir); err != nil {
		return fmt.Errorf("set HOME: %w", err)
	}
	if err := syscall.Setgroups(groups); err != nil {
		return fmt.Errorf("take the groups of %s: %w", User, err)
	}
	if err := syscall.Setgid(gid); err != nil {
		return fmt.Errorf("take the group of %s: %w", User, err)
	}
	if err := syscall.Setuid(uid); err != nil {
		return fmt.Errorf("become %s: %w", User, err)
	}
	return nil
}

func ids(u *user.User) (uid, gid int, err error) {
	uid, err = strconv.Atoi(u.Uid)
	if err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(u.Gid)
	return uid, gid, err
}

// ids returns the numbers of the user and its group.
func (i Installer) ids() (uid, gid int, err error) {
	if i.Root == "" {
		u, err := user.Lookup(User)
		if err != nil {
			return 0, 0, err
		}
		return ids(u)
	}
	data, err := os.ReadFile(filepath.Join(i.Root, "/etc/passwd"))
	for line := range strings.Lines(string(data)) {
		if f := strings.Split(line, ":"); len(f) > 3 && f[0] == User {
			return ids(&user.User{Uid: f[2], Gid: f[3]})
		}
	}
	return 0, 0, errors.Join(err, user.UnknownUserError(User))
}

// CheckGroup reports, as a *GroupError, that the user is not in a group, given by name and number: only
// a member gives a file to it, at each renewal.
func (i Installer) CheckGroup(name string, gid int) error {
	_, own, err := i.ids()
	if err != nil || own == gid {
		return err
	}
	is := false
	if i.Root == "" {
		is, err = isMember(gid)
	} else {
		is, err = i.isListed(gid)
	}
	if err == nil && !is {
		return &GroupError{Group: name}
	}
	return err
}

// isMember reports whether the user of this host is in a group.
func isMember(gid int) (bool, error) {
	u, err := user.Lookup(User)
	if err != nil {
		return false, err
	}
	all, err := u.GroupIds()
	return slices.Contains(all, strconv.Itoa(gid)), err
}

// isListed reports whether the file of groups below the root lists the user in a group.
func (i Installer) isListed(gid int) (bool, error) {
	data, err := os.ReadFile(filepath.Join(i.Root, "/etc/group"))
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) == 4 && f[2] == strconv.Itoa(gid) {
			return slices.Contains(strings.Split(f[3], ","), User), nil
		}
	}
	return false, err
}

// adopt gives the user the identities that root has in the folder: from then on the timer renews them.
func (i Installer) adopt() error {
	base := filepath.Join(i.Root, StateDir)
	entries, err := os.ReadDir(base)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if owner, ok := ownerOf(base); !ok || owner != 0 {
		return nil // the user's already, or none of ours
	}
	uid, gid, err := i.ids()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if owner, ok := ownerOf(filepath.Join(base, e.Name())); !ok || owner != 0 {
			continue
		}
		if err := giveAll(filepath.Join(base, e.Name()), uid, gid); err != nil {
			return err
		}
		i.Say(filepath.Join(base, e.Name()) + " belongs to the user " + User + " now")
	}
	return nil
}

// giveAll gives a folder and all in it to a user, and to that user's group what is root's alone. It
// follows no link.
func giveAll(path string, uid, gid int) error {
	return filepath.WalkDir(path, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		group := -1
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Gid == 0 {
			group = gid
		}
		return os.Lchown(name, uid, group)
	})
}

func ownerOf(path string) (uid int, ok bool) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}
