package examples

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// machine is a host of a test: a folder that its programs take for the file system, on the network of
// the test.
type machine struct {
	t           *testing.T
	root        string
	environment []string
	user        int      // of its programs; 0: root
	chroot      string   // root, as the programs in prefix see it
	prefix      []string // the program that runs those of the machine, and its arguments
}

// path returns where a file of the machine is for the test.
func (m machine) path(name string) string { return filepath.Join(m.root, name) }

// write writes a file, with its folder.
func (m machine) write(name, text string, mode os.FileMode) {
	m.t.Helper()
	path := m.path(name)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), mode)
	}
	if err == nil {
		err = errors.Join(os.Chmod(path, mode), os.Chown(path, m.user, m.user))
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// command is a program of the machine, by its absolute path there.
func (m machine) command(words ...string) *exec.Cmd {
	all := append(slices.Clone(m.prefix), fmt.Sprintf("--userspec=%[1]d:%[1]d", m.user), m.chroot)
	all = append(all, words...)
	cmd := exec.CommandContext(m.t.Context(), all[0], all[1:]...)
	cmd.Env, cmd.Dir = m.environment, "/"
	return cmd
}

// try runs a program and returns what it writes to standard output and to standard error.
func (m machine) try(words ...string) (out, stderr string, err error) {
	var stdout, said strings.Builder
	cmd := m.command(words...)
	cmd.Stdout, cmd.Stderr = &stdout, &said
	err = cmd.Run()
	return stdout.String(), said.String(), err
}

// run is try for what must not fail; it returns the standard output.
func (m machine) run(words ...string) string {
	m.t.Helper()
	out, stderr, err := m.try(words...)
	if err != nil {
		m.t.Fatalf("%s: %v\n%s%s", strings.Join(words, " "), err, out, stderr)
	}
	return out
}

// fails is try for what must fail with some words on standard error.
func (m machine) fails(want string, words ...string) {
	m.t.Helper()
	if _, stderr, err := m.try(words...); err == nil || !strings.Contains(stderr, want) {
		m.t.Fatalf("%s: %v, want a failure with %q\n%s", strings.Join(words, " "), err, want, stderr)
	}
}

// credentialProcess returns the command line in the AWS profile of root.
func (m machine) credentialProcess() string {
	m.t.Helper()
	config, err := os.ReadFile(m.path("/root/.aws/config"))
	if err != nil {
		m.t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(config), "credential_process = ")
	line, _, _ = strings.Cut(line, "\n")
	return line
}

// credentials runs it by a shell, as SDKs do.
func (m machine) credentials() string {
	m.t.Helper()
	return m.run("/bin/sh", "-c", m.credentialProcess())
}

// newMachine makes a machine with nothing on it. Only root can.
func (s *site) newMachine() machine {
	s.t.Helper()
	if os.Geteuid() != 0 {
		testenv.Missing(s.t, "root", "only root can change the root folder of a process")
	}
	m := machine{t: s.t, environment: append([]string{"PATH=/usr/local/bin:/bin:/usr/sbin:/usr/bin:/sbin", "HOME=/root"}, s.environment...)}
	m.settle(s.t.TempDir())
	for _, name := range []string{"dev", "etc", "proc", "tmp", "root"} {
		if err := os.Mkdir(m.path(name), 0o755); err != nil {
			s.t.Fatal(err)
		}
	}
	return m
}

// settle makes a folder the file system of the machine. Each of its programs has /proc and /dev there, in a mount
// namespace of its own.
func (m *machine) settle(root string) {
	m.root, m.chroot = root, root
	m.prefix = []string{testenv.Tool(m.t, "unshare"), "--mount", "sh", "-euc", `for dir in proc dev; do mount --rbind "/$dir" "$0/$dir"; done; exec chroot "$@"`, root}
}

// newBusybox makes a machine that has the static busybox, and no more.
func (s *site) newBusybox() machine {
	s.t.Helper()
	busybox := testenv.Tool(s.t, "busybox")
	m := s.newMachine()
	m.copy(busybox, "/bin/busybox")
	m.run("/bin/busybox", "--install", "-s", "/bin")
	return m
}

// copy copies a program to the machine.
func (m machine) copy(from, to string) {
	m.t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		m.t.Fatal(err)
	}
	m.write(to, string(data), 0o755)
}

// newDebian makes a machine with the file system of this one: what is written there is lost at the end of
// the test, apart from the folder of the site. The programs of systemd believe that it runs, and know that it
// cannot be asked.
func (s *site) newDebian() machine {
	s.t.Helper()
	m := s.newMachine()
	// The namespace with the mounts is that of this process: it ends with the test, and they with it.
	holder := exec.Command(testenv.Tool(s.t, "unshare"), "--mount", "sh", "-euc", `
mount -t tmpfs -o mode=755 tmpfs "$0"
mkdir "$0/upper" "$0/work" "$0/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" "$0/root"
for dir in proc dev; do mount --rbind "/$dir" "$0/root/$dir"; done
mount -t tmpfs -o mode=755 tmpfs "$0/root/run"
mkdir -p "$0/root/run/lock" "$0/root/run/systemd/system"
for dir; do mkdir -p "$0/root/$dir"; mount --bind "$dir" "$0/root/$dir"; done
echo ready
read -r end`, m.root, s.dir, programs)
	stdin, err := holder.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	stdout, err := holder.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	var words bytes.Buffer
	holder.Stderr = &words
	if err := holder.Start(); err != nil {
		s.t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	s.t.Cleanup(func() {
		stdin.Close()
		_ = holder.Wait() // its input has ended
	})
	if err != nil || line != "ready\n" {
		stdin.Close()
		_ = holder.Wait() // before what it wrote is read
		s.t.Fatalf("the file system: %v %s", err, words.String())
	}
	pid := strconv.Itoa(holder.Process.Pid)
	m.prefix = []string{testenv.Tool(s.t, "nsenter"), "--mount=/proc/" + pid + "/ns/mnt", "chroot"}
	m.chroot = m.root + "/root"
	m.environment = append([]string{"PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/root", "LANG=C.UTF-8", "SYSTEMD_OFFLINE=1"}, s.environment...)
	m.root = "/proc/" + pid + "/root" + m.chroot
	m.write("/usr/local/bin/systemctl", `#!/bin/sh
# systemd cannot run here: units are enabled, and not started.
for word; do shift; [ "$word" = --now ] || set -- "$@" "$word"; done
exec /usr/bin/systemctl "$@"
`, 0o755)
	return m
}
