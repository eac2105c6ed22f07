//go:build unix

package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStateDir(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	own := os.Geteuid() != 0
	for _, test := range []struct {
		env  Environment
		want string // for a user other than root
		set  bool   // the variable counts for root, too
	}{
		{Environment{"HOME=" + home}, filepath.Join(home, ".local", "state", "kedge"), false},
		{Environment{"HOME=" + home, "XDG_STATE_HOME=" + home}, filepath.Join(home, "kedge"), false},
		{Environment{"HOME=" + home, "XDG_STATE_HOME=relative"}, filepath.Join(home, ".local", "state", "kedge"), false},
		{Environment{"HOME=" + home, "KEDGE_STATE_DIR=" + home}, home, true},
		{Environment{}, "", false},
		{Environment{"HOME=relative"}, "", false},
	} {
		want := test.want
		if !own && !test.set {
			want = systemState
		}
		got, err := StateDir(test.env)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: got %q, %v; want %q", test.env, got, err, want)
		}
	}
}
