// Package units has systemd renew the certificates of a host: it installs the units of examples/systemd,
// starts their timer, and makes this process one of the user that they run as.
//
// Every file that it writes and every program that it runs is named to the caller. What is there already
// with other content stays.
package units

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	unitfiles "kedge/examples/systemd"
	"kedge/internal/atomicfile"
)

// User owns the identities that the units renew, which are in StateDir.
const (
	User     = "kedge"
	StateDir = "/var/lib/kedge"

	timer      = "kedge-renew.timer"
	runTimeout = time.Minute // of one program
)

// UnavailableError reports a host or user for which systemd cannot renew certificates. Nothing was changed.
type UnavailableError struct{ Reason string }

func (e *UnavailableError) Error() string { return "systemd cannot renew certificates: " + e.Reason }

// CommandError reports a program of systemd that failed.
type CommandError struct {
	Line string
	Said string // its last line
	Err  error
}

func (e *CommandError) Error() string {
	if e.Said == "" {
		return fmt.Sprintf("%s: %v", e.Line, e.Err)
	}
	return fmt.Sprintf("%s: %v: %s", e.Line, e.Err, e.Said)
}

func (e *CommandError) Unwrap() error { return e.Err }

// GroupError reports a group that cannot be given keys, since User is not in it.
type GroupError struct{ Group string }

func (e *GroupError) Error() string {
	return fmt.Sprintf("the user %s is not in the group %q, and so cannot let it read a key", User, e.Group)
}

// Installer installs the units.
type Installer struct {
	Root    string // of another file system than that of the host, whose units are not started
	Program string // absolute path of kedge
	Say     func(text string)
}

// Check reports why this process cannot install the units, as an *UnavailableError.
func (i Installer) Check() error {
	reason := ""
	switch info, err := os.Stat("/run/systemd/system"); { // sd_booted(3)
	case runtime.GOOS != "linux":
		reason = "it is a part of Linux"
	case i.Root == "" && (err != nil || !info.IsDir()):
		reason = "it does not run on this host"
	case os.Geteuid() != 0:
		reason = "only root can install its units"
	default:
		reason = i.hidden()
	}
	if reason == "" {
		return nil
	}
	return &UnavailableError{Reason: reason}
}

// hidden describes why the units could not run the program, or is empty: they see no homes, and a /tmp of
// their own.
func (i Installer) hidden() string {
	for _, dir := range []string{"/home", "/root", "/run/user", "/tmp", "/var/tmp"} {
		if strings.HasPrefix(i.Program, dir+"/") && i.Root == "" {
			return "its units cannot run " + i.Program + ": copy the program to /usr/local/bin, and run it there"
		}
	}
	return ""
}

// Install writes the files that are missing, makes the user and the folder, and starts the timer. Done
// again it changes nothing.
func (i Installer) Install(ctx context.Context) error {
	for _, f := range []struct{ name, path string }{
		{"kedge.sysusers.conf", "/etc/sysusers.d/kedge.conf"}, {"kedge.tmpfiles.conf", "/etc/tmpfiles.d/kedge.conf"},
		{"kedge-renew.service", "/etc/systemd/system/kedge-renew.service"}, {timer, "/etc/systemd/system/" + timer},
	} {
		if err := i.write(f.name, f.path); err != nil {
			return err
		}
	}
	if err := i.run(ctx, "systemd-sysusers", "kedge.conf"); err != nil {
		return err
	}
	if err := i.adopt(); err != nil {
		return err
	}
	if err := i.run(ctx, "systemd-tmpfiles", "--create", "kedge.conf"); err != nil {
		return err
	}
	if i.Root != "" {
		return i.run(ctx, "systemctl", "enable", timer)
	}
	if err := i.run(ctx, "systemctl", "daemon-reload"); err != nil {
		return err
	}
	return i.run(ctx, "systemctl", "enable", "--now", timer)
}

// write writes a file if it is not there.
func (i Installer) write(name, path string) error {
	data, err := unitfiles.File(name)
	if err != nil {
		return err
	}
	data = bytes.ReplaceAll(data, []byte("/usr/local/bin/kedge"), []byte(i.Program))
	if packaged, err := os.ReadFile(filepath.Join(i.Root, "/usr/lib", strings.TrimPrefix(path, "/etc"))); err == nil && bytes.Equal(packaged, data) {
		return nil // a copy in /etc would hide the file of a package, also after an upgrade
	}
	path = filepath.Join(i.Root, path)
	there, err := os.ReadFile(path)
	switch {
	case err == nil && bytes.Equal(there, data):
		return nil
	case err == nil:
		i.Say(path + " is there with other content, and stays as it is")
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := atomicfile.Write(path, data, 0o644); err != nil {
		return err
	}
	i.Say("wrote " + path)
	return nil
}

// run runs a program of systemd.
func (i Installer) run(ctx context.Context, name string, args ...string) error {
	if i.Root != "" {
		args = append([]string{"--root=" + i.Root}, args...)
	}
	limited, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	cmd := exec.CommandContext(limited, name, args...)
	cmd.WaitDelay = time.Second
	line := strings.Join(cmd.Args, " ")
	out, err := cmd.CombinedOutput()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return &CommandError{Line: line, Said: lines[len(lines)-1], Err: err}
	}
	i.Say("ran " + line)
	return nil
}
