//go:build unix

package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"kedge/internal/cli"
)

// hostile is what can be in the place of a file.
func hostile() map[string]func(path string) error {
	link := func(to string) func(string) error {
		return func(path string) error { return os.Symlink(to, path) }
	}
	return map[string]func(path string) error{
		"pipe": func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"link to a pipe": func(path string) error {
			return firstError(syscall.Mkfifo(path+".pipe", 0o600), os.Symlink(path+".pipe", path))
		},
		"folder":         func(path string) error { return os.Mkdir(path, 0o700) },
		"loop":           link("x"), // which is its own name
		"endless device": link("/dev/zero"),
		"full device":    link("/dev/full"),
		"socket": func(path string) error {
			l, err := net.Listen("unix", path)
			if err == nil {
				l.(*net.UnixListener).SetUnlinkOnClose(false)
				err = l.Close()
			}
			return err
		},
		"below a file": func(path string) error { return os.WriteFile(filepath.Dir(path), nil, 0o600) },
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestHostile: whatever is in the place of a file that a flag names, the answer is an error, at once.
func TestHostile(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	role := []string{
		"--certificate", w.path("leaf.pem"), "--private-key", w.path("leaf.key"), "--endpoint", w.endpoint, "--max-attempts", "1", "--cache", "off",
		"--trust-anchor-arn", w.emulator.TrustAnchorARN(), "--profile-arn", w.emulator.ProfileARN(), "--role-arn", w.emulator.RoleARN(),
	}
	for name, tt := range map[string]struct {
		args   []string
		role   bool // it takes the flags of a role
		noPipe bool // a pipe is an error; as an input of keys and certificates, it can be that of another program
	}{
		"credential-process --certificate": {[]string{"credential-process", "--certificate"}, true, false},
		"credential-process --private-key": {[]string{"credential-process", "--private-key"}, true, false},
		"intermediates":                    {[]string{"credential-process", "--intermediates"}, true, false},
		"ca-bundle":                        {[]string{"credential-process", "--ca-bundle"}, true, false},
		"policy":                           {[]string{"credential-process", "--assume-role-arn", w.emulator.RoleARN(), "--policy"}, true, false},
		"config":                           {[]string{"credential-process", "--config"}, true, true},
		"update --file":                    {[]string{"update", "--once", "--file"}, true, true},
		"configure --file":                 {[]string{"configure", "--no-check", "--file"}, true, true},
		"serve --token-file":               {[]string{"serve", "--port", "0", "--token-file"}, true, true},
		"exec --certificate":               {[]string{"exec", "--certificate"}, true, false},
		"read-certificate-data":            {[]string{"read-certificate-data", "--certificate"}, false, false},
		"sign-string --private-key":        {[]string{"sign-string", "--private-key"}, false, false},
		"csr --private-key":                {[]string{"csr", "--cn", "x", "--private-key"}, false, false},
		"csr --out":                        {[]string{"csr", "--cn", "x", "--private-key", w.path("leaf.key"), "--out"}, false, true},
		"key create --out":                 {[]string{"key", "create", "--out"}, false, true},
		"key create --key-password-from":   {[]string{"key", "create", "--out", w.path("new.key"), "--key-password-from"}, false, false},
		"config check --config":            {[]string{"config", "check", "--config"}, false, true},
	} {
		for place, put := range hostile() {
			if strings.Contains(place, "pipe") && !tt.noPipe {
				continue
			}
			t.Run(name+"/"+place, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "d", "x")
				if place != "below a file" {
					must(t, os.Mkdir(filepath.Dir(path), 0o700))
				}
				must(t, put(path))
				args := slices.Concat(tt.args, []string{path})
				if flag := tt.args[len(tt.args)-1]; tt.role {
					args = slices.Concat(args, withoutFlag(role, flag))
				}
				if tt.args[0] == "exec" {
					args = append(args, "--", "true")
				}
				runHostile(t, args)
			})
		}
	}
}

// withoutFlag leaves a flag and its value out.
func withoutFlag(flags []string, flag string) []string {
	var rest []string
	for i := 0; i < len(flags); i += 2 {
		if flags[i] != flag {
			rest = append(rest, flags[i], flags[i+1])
		}
	}
	return rest
}

func runHostile(t *testing.T, args []string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(t.Context(), args, cli.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
	}()
	select {
	case code := <-ended:
		if said := stderr.String(); code == cli.ExitDone || stdout.Len() > 0 || !strings.Contains("\n"+said, "\nkedge: error: ") || strings.Contains(said, "<nil>") {
			t.Errorf("%q: exit %d, stdout %q, stderr %s", args, code, &stdout, said)
		}
	case <-time.After(20 * time.Second): // for a machine that is busy: most take a millisecond
		t.Fatalf("%q waits", args)
	}
}
