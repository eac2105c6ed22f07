package main

import (
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// TestTerminal_shell: a shell under exec has the credentials, the terminal and jobs of its own.
func TestTerminal_shell(t *testing.T) {
	t.Parallel()
	ways(t, func(t *testing.T, tm *terminal, kx string) {
		tm.run(kx + " -- bash --rcfile rc -i")
		tm.wait("code=0> ")
		tm.run(`clear; echo "has ${AWS_ACCESS_KEY_ID:0:4}${AWS_CONTAINER_CREDENTIALS_FULL_URI:0:7}"`)
		want := map[string]string{"kx": "has ASIA\ncode=0>", "kx --server": "has http://\ncode=0>"}[kx]
		tm.wait(want)
		tm.run("sh -c 'echo ready; exec sleep 1000'")
		tm.wait("\nready")
		tm.keys("C-c")
		tm.wait("code=130> ")
		tm.run("kx -- true")
		screen := tm.wait("code=2> ")
		if !strings.Contains(screen, "kedge: error: this runs in another kedge exec, for arn:aws:iam::") {
			t.Errorf("nothing is said of the nesting:\n%s", screen)
		}
		tm.run("clear; suspend")
		tm.wait("code=147> ")
		tm.run("clear; fg")
		tm.wait("code=0> ") // of the inner shell
		tm.run("exit 3")
		tm.wait("code=3> ")
	})
}

// TestTerminal_interrupt: Ctrl-C reaches the command, once, and nobody dies that need not.
func TestTerminal_interrupt(t *testing.T) {
	t.Parallel()
	ways(t, func(t *testing.T, tm *terminal, kx string) {
		tm.write("trap.sh", "trap 'echo caught' INT\necho ready\nuntil read -r x && [ \"$x\" = end ]; do :; done\nexit 9\n")
		tm.run(kx + " -- bash trap.sh")
		tm.wait("\nready")
		tm.keys("C-c")
		tm.wait("caught")
		tm.run("end")
		if screen := tm.wait("code=9> "); strings.Count(screen, "caught") != 1 {
			t.Errorf("it was interrupted more than once:\n%s", screen)
		}
		// The script around it ends, because the command dies of the signal.
		tm.write("script.sh", kx+" -- sh -c 'echo ready; exec sleep 1000'\necho went on\n")
		tm.run("clear; bash script.sh")
		tm.wait("ready")
		tm.keys("C-c")
		if screen := tm.wait("code=130> "); strings.Contains(screen, "went on") {
			t.Errorf("the script went on:\n%s", screen)
		}
	})
}

// TestTerminal_stop: Ctrl-Z stops the whole job, and fg goes on with it.
func TestTerminal_stop(t *testing.T) {
	t.Parallel()
	ways(t, func(_ *testing.T, tm *terminal, kx string) {
		tm.write("loop.sh", "echo $$ >pid\ntrap 'echo continued' CONT\necho ready\nuntil read -r x && [ \"$x\" = end ]; do echo \"read $x\"; done\nexit 9\n")
		tm.run(kx + " -- bash loop.sh")
		tm.wait("\nready")
		for _, word := range []string{"one", "two"} {
			tm.keys("C-z")
			tm.wait("code=148> ")
			tm.waitStopped("pid")
			tm.run("clear; fg")
			tm.wait("continued")
			tm.run(word)
			tm.wait("read " + word)
		}
		tm.run("end")
		tm.wait("code=9> ")
		// A command that stops itself alone.
		tm.run(kx + " -- sh -c 'kill -STOP $$; exit 8'")
		tm.wait("code=147> ")
		tm.run("fg")
		tm.wait("code=8> ")
	})
}

// TestTerminal_password: the password is asked on the terminal, not shown, and can be refused; a
// pipe beside it does not matter.
func TestTerminal_password(t *testing.T) {
	t.Parallel()
	ways(t, func(t *testing.T, tm *terminal, kx string) {
		testenv.Run(t, tm.dir, "openssl", "pkcs8", "-topk8", "-in", "leaf.key", "-out", "locked.key", "-passout", "pass:hunter2")
		testenv.Run(t, tm.dir, "chmod", "600", filepath.Join(tm.dir, "locked.key"))
		locked := kx + " --private-key locked.key -- sh -c 'cat; exit 6'"
		tm.run("echo some words | " + locked + " | tr a-z A-Z")
		tm.wait("Password of locked.key:")
		tm.keys("hunter2", "Enter")
		if screen := tm.wait("SOME WORDS\ncode=0> "); strings.Contains(screen, "hunter2") {
			t.Errorf("the password is shown:\n%s", screen)
		}
		tm.run(locked)
		tm.wait("\nPassword of locked.key:")
		tm.keys("C-c")
		tm.wait("nothing was written\ncode=130>")
	})
}
