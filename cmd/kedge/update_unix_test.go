//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kedge/ca"
)

// TestSIGTERMIsNotHandled: the official helper died of it. The updater ends with 0 and leaves a
// whole file, and nothing besides it and its lock.
func TestSIGTERMIsNotHandled(t *testing.T) {
	t.Parallel()
	u := startUpdate(t)
	u.wait("")
	u.end()
	left, err := os.ReadDir(filepath.Dir(u.path))
	if err != nil || len(left) != 2 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// SIGHUP ended it. It reads key and certificate again, and if it cannot, goes on with the old ones.
func TestUpdate_SIGHUP(t *testing.T) {
	t.Parallel()
	u := startUpdate(t)
	first := u.wait("")
	must(t, os.Rename(u.dir+"/leaf.pem", u.dir+"/away.pem"), u.cmd.Process.Signal(syscall.SIGHUP))
	u.waitLog("not reloaded; all goes on as before")
	want := u.wait("")
	if want != first {
		t.Errorf("it wrote %q without a certificate", want)
	}
	issue(t, u.root, u.dir, "leaf", time.Now())
	must(t, u.cmd.Process.Signal(syscall.SIGHUP))
	u.waitLog("msg=reloaded")
	u.wait(first)
	u.end()
}

// updating is kedge update as a process.
type updating struct {
	t         *testing.T
	root      *ca.Authority
	cmd       *exec.Cmd
	dir, path string
	stdout    bytes.Buffer
	log       string // a file
}

func startUpdate(t *testing.T) *updating {
	t.Helper()
	u := &updating{t: t, root: newAuthority(t), dir: t.TempDir()}
	e, url := emulate(t, u.root.Certificate())
	issue(t, u.root, u.dir, "leaf", time.Now())
	self, err := os.Executable()
	must(t, err)
	u.path, u.log = filepath.Join(u.dir, "aws", "credentials"), filepath.Join(u.dir, "log")
	u.cmd = exec.Command(self)
	u.cmd.Args = []string{
		"kedge", "update", "--file", u.path, "--profile", "backup", "--endpoint", url,
		"--trust-anchor-arn", e.TrustAnchorARN(), "--profile-arn", e.ProfileARN(), "--role-arn", e.RoleARN(),
		"--certificate", filepath.Join(u.dir, "leaf.pem"), "--private-key", filepath.Join(u.dir, "leaf.key"),
	}
	log, err := os.Create(u.log)
	must(t, err)
	defer log.Close()
	u.cmd.Stdout, u.cmd.Stderr = &u.stdout, log
	must(t, u.cmd.Start())
	t.Cleanup(func() { u.cmd.Process.Kill() })
	return u
}

// until waits for a condition.
func (u *updating) until(what string, met func() bool) {
	u.t.Helper()
	for deadline := time.Now().Add(time.Minute); !met(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(u.log)
			u.t.Fatalf("%s: not after a minute: %s", what, log)
		}
	}
}

// wait returns the file once it has credentials, and others than before.
func (u *updating) wait(before string) (content string) {
	u.t.Helper()
	u.until("credentials", func() bool {
		data, err := os.ReadFile(u.path)
		content = string(data)
		return err == nil && content != before && strings.HasPrefix(content, "[backup]\naws_access_key_id = ASIA")
	})
	return content
}

func (u *updating) waitLog(text string) {
	u.t.Helper()
	u.until(text, func() bool {
		log, err := os.ReadFile(u.log)
		return err == nil && strings.Contains(string(log), text)
	})
}

// end ends it as systemd does.
func (u *updating) end() {
	u.t.Helper()
	must(u.t, u.cmd.Process.Signal(syscall.SIGTERM))
	if err := u.cmd.Wait(); err != nil || u.stdout.Len() != 0 {
		log, _ := os.ReadFile(u.log)
		u.t.Errorf("%v, stdout %q, stderr %s", err, &u.stdout, log)
	}
}
