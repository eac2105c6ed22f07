//go:build unix

package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"kedge/internal/enrollclient/enrolltest"
	"kedge/signer"
)

// TestEnroll_killed kills kedge enroll, renew and unenroll (kill -9) at random times, in
// KEDGE_TEST_KILLS rounds. There is always a pair that works, the server sees no second key for one
// token or certificate, and the last run of each kind ends as if none had been killed.
func TestEnroll_killed(t *testing.T) {
	t.Parallel()
	rounds := 15
	if n, err := strconv.Atoi(os.Getenv("KEDGE_TEST_KILLS")); err == nil {
		rounds = n
	}
	server := enrolltest.New(t)
	base := t.TempDir()
	for round := range rounds {
		dir := filepath.Join(base, strconv.Itoa(round))
		token := filepath.Join(base, "token")
		must(t, os.WriteFile(token, []byte(server.Token(t).String()), 0o600))
		enroll := []string{"enroll", "--token-file", token, "--dir", dir}
		untilDone(t, enroll, func() {})
		for _, args := range [][]string{{"renew", "--force", "--dir", dir}, {"renew", "--force", "--dir", dir}} {
			untilDone(t, args, func() { checkPair(t, dir) })
			checkPair(t, dir)
		}
		untilDone(t, []string{"unenroll", "--yes", "--dir", dir}, func() {})
		if _, err := os.Lstat(filepath.Join(dir, "current")); !os.IsNotExist(err) {
			t.Errorf("round %d: after unenroll: %v", round, err)
		}
		if _, clones := server.Seen(); clones != 0 {
			t.Fatalf("round %d: the server saw %d second keys", round, clones)
		}
	}
}

// untilDone runs kedge and kills it, twice at a random time; the third run is left to end. After each
// that was killed, check is called.
func untilDone(t *testing.T, args []string, check func()) {
	t.Helper()
	for last := 0; last < 3; last++ {
		cmd := &exec.Cmd{}
		self, err := os.Executable()
		must(t, err)
		cmd.Path, cmd.Args = self, append([]string{"kedge"}, args...)
		must(t, cmd.Start())
		if last < 2 {
			time.AfterFunc(time.Duration(rand.Int64N(int64(120*time.Millisecond))), func() { _ = cmd.Process.Kill() })
		}
		err = cmd.Wait()
		if last < 2 {
			check()
			continue
		}
		// What the runs before finished is not there to do again.
		if err != nil && args[0] != "unenroll" {
			t.Fatalf("kedge %q: %v", args, err)
		}
	}
}

// checkPair checks that the current pair belongs together and can be used.
func checkPair(t *testing.T, dir string) {
	t.Helper()
	_, err := signer.Load(signer.Files{
		Certificate: signer.File(filepath.Join(dir, "current", "leaf.pem")), PrivateKey: signer.File(filepath.Join(dir, "current", "leaf.key")), Now: time.Now,
	})
	if err != nil {
		t.Errorf("the current pair: %v", err)
	}
}
