//go:build unix

package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"kedge/internal/cli"
	"kedge/internal/testenv"
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
	testenv.Run(t, w.dir, "openssl", "pkcs8", "-topk8", "-in", "leaf.key", "-out", "locked.key", "-passout", "pass:x", "-iter", "1")
	role := []string{
		"--certificate", w.path("leaf.pem"), "--private-key", w.path("leaf.key"), "--endpoint", w.endpoint, "--max-attempts", "1",
		"--trust-anchor-arn", w.emulator.TrustAnchorARN(), "--profile-arn", w.emulator.ProfileARN(), "--role-arn", w.emulator.RoleARN(),
	}
	for name, tt := range map[string]struct {
		args []string
		role bool // it takes the flags of a role
	}{
		"credential-process --certificate": {[]string{"credential-process", "--certificate"}, true},
		"credential-process --private-key": {[]string{"credential-process", "--private-key"}, true},
		"intermediates":                    {[]string{"credential-process", "--intermediates"}, true},
		"ca-bundle":                        {[]string{"credential-process", "--ca-bundle"}, true},
		"policy":                           {[]string{"credential-process", "--assume-role-arn", w.emulator.RoleARN(), "--policy"}, true},
		"config":                           {[]string{"credential-process", "--config"}, true},
		"update --file":                    {[]string{"update", "--once", "--file"}, true},
		"configure --file":                 {[]string{"configure", "--no-check", "--file"}, true},
		"serve --token-file":               {[]string{"serve", "--port", "0", "--token-file"}, true},
		"exec --certificate":               {[]string{"exec", "--certificate"}, true},
		"read-certificate-data":            {[]string{"read-certificate-data", "--certificate"}, false},
		"sign-string --private-key":        {[]string{"sign-string", "--private-key"}, false},
		"csr --private-key":                {[]string{"csr", "--name", "x", "--private-key"}, false},
		"csr --out":                        {[]string{"csr", "--name", "x", "--private-key", w.path("leaf.key"), "--out"}, false},
		"key create --out":                 {[]string{"key", "create", "--out"}, false},
		"key create --key-password-from":   {[]string{"key", "create", "--out", w.path("new.key"), "--key-password-from"}, false},
		"key-password-from":                {[]string{"sign-string", "--private-key", w.path("locked.key"), "--key-password-from"}, false},
		"serve --certificate":              {[]string{"serve", "--port", "0", "--certificate"}, true},
		"update --private-key":             {[]string{"update", "--once", "--private-key"}, true},
		"tpm:file":                         {[]string{"sign-string", "--private-key", "tpm:file="}, false},
		"config check --config":            {[]string{"config", "check", "--config"}, false},
	} {
		for place, put := range hostile() {
			t.Run(name+"/"+place, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "d", "x")
				if place != "below a file" {
					must(t, os.Mkdir(filepath.Dir(path), 0o700))
				}
				must(t, put(path))
				args, flag := slices.Concat(tt.args, []string{path}), tt.args[len(tt.args)-1]
				if strings.HasSuffix(flag, "=") {
					args = append(tt.args[:len(tt.args)-1:len(tt.args)-1], flag+path)
				}
				if tt.role {
					args = slices.Concat(args, withoutFlag(role, flag))
				}
				switch tt.args[0] {
				case "credential-process":
					args = append(args, "--cache", "off")
				case "exec":
					args = append(args, "--", "true")
				}
				runHostile(t, args, path, kinds()[place])
			})
		}
	}
}

// kinds is what is said of some of hostile, by the readers and by the writers of files.
func kinds() map[string]*regexp.Regexp {
	kind := func(words string) *regexp.Regexp {
		return regexp.MustCompile(" is (" + words + "|not a regular file|in the place of)|: file already exists")
	}
	return map[string]*regexp.Regexp{
		"pipe": kind("a named pipe"), "link to a pipe": kind("a named pipe"), "folder": kind("a (folder|directory)"),
		"endless device": kind("a device"), "full device": kind("a device"), "socket": kind("a socket"),
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

func runHostile(t *testing.T, args []string, path string, kind *regexp.Regexp) {
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
		} else if !strings.Contains(said, filepath.Dir(path)) || kind != nil && !kind.MatchString(said) {
			t.Errorf("it does not name the file and its kind: %s", said)
		}
	case <-time.After(20 * time.Second): // for a machine that is busy: most take a millisecond
		t.Fatalf("%q waits", args)
	}
}
