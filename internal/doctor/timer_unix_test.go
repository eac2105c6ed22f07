//go:build unix

package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/config"
)

// TestLookTimer: what renews a folder is found in the files of systemd and cron, and no program is asked.
func TestLookTimer(t *testing.T) {
	t.Parallel()
	const timer, enabled = "etc/systemd/system/kedge-renew.timer", "etc/systemd/system/timers.target.wants/kedge-renew.timer"
	me := config.Owner(t.TempDir())
	for _, tt := range []struct {
		name  string
		files map[string]string // DIR in a text is the folder
		state State
		says  string
		run   string
	}{
		{"nothing", nil, OK, "is not known", ""},
		{"systemd alone", map[string]string{"run/systemd/system/x": ""}, Warning, "neither kedge-renew.timer nor", " renew --quiet --dir DIR') | crontab -"},
		{"a timer for another folder", map[string]string{timer: "", enabled: ""}, Warning, "the timer renews what is in /var/lib/kedge", "crontab -"},
		{"one that is not enabled", map[string]string{timer: "", "run/systemd/system/x": ""}, Warning, "neither", "crontab -"},
		{"cron", map[string]string{"etc/cron.d/kedge": "*/5 * * * * root kedge renew --quiet --dir DIR\n"}, OK, "etc/cron.d/kedge", ""},
		{"crontab of a user", map[string]string{"var/spool/cron/crontabs/me": "@hourly /opt/kedge renew --dir=DIR\n"}, OK, "crontabs/me", ""},
		{"all of the owner", map[string]string{"etc/crontab": "*/5 * * * * " + me + " '/opt/x y/kedge' renew --all\n"}, OK, "etc/crontab", ""},
		{"all of another user", map[string]string{"run/systemd/system/x": "", "etc/crontab": "*/5 * * * * nobody kedge renew --all\n"}, Warning, "neither", ""},
		{"another folder", map[string]string{"run/systemd/system/x": "", "etc/crontab": "*/5 * * * * root kedge renew --dir DIR2\n"}, Warning, "neither", ""},
		{"a comment", map[string]string{"run/systemd/system/x": "", "etc/crontab": "# */5 * * * * root kedge renew --dir DIR\n#*/5 * * * * root kedge renew --dir DIR\n"}, Warning, "neither", ""},
		{"a file that cron leaves out", map[string]string{"run/systemd/system/x": "", "etc/cron.d/kedge.bak": "*/5 * * * * root kedge renew --dir DIR\n"}, Warning, "neither", ""},
		{"another line", map[string]string{"run/systemd/system/x": "", "etc/crontab": "\n0 0 * * * root true\n"}, Warning, "neither", ""},
	} {
		root := t.TempDir()
		dir := filepath.Join(root, ".local/state/kedge/web-01")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for name, text := range tt.files {
			path := fileOf(t, filepath.Join(root, name), 0o600)
			if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "DIR", dir)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got := judgeTimer(lookTimer(root, dir), dir)
		if got.State != tt.state || !strings.Contains(got.Seen, tt.says) || !strings.Contains(got.Command, strings.ReplaceAll(tt.run, "DIR", dir)) {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// TestJudgeTimer: the timer counts for the folders that it renews.
func TestJudgeTimer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		timer timer
		state State
		run   string
	}{
		{timer{installed: true, enabled: true, ours: true}, OK, ""},
		{timer{installed: true, ours: true, systemd: true}, Warning, "sudo systemctl enable --now kedge-renew.timer"},
		{timer{installed: true, enabled: true, systemd: true}, Warning, ""}, // and the folder is of another user: no crontab
	} {
		if got := judgeTimer(tt.timer, "/var/lib/kedge/none"); got.State != tt.state || got.Command != tt.run {
			t.Errorf("%+v: %+v", tt.timer, got)
		}
	}
	for dir, want := range map[string]string{
		"/d":   "(crontab -l 2>/dev/null; echo '*/5 * * * * \"/opt/x y/kedge\" renew --quiet --dir /d') | crontab -",
		"/d'e": "", "/d%e": "", "/d$e": "", `/d\e`: "", "/d\ne": "",
	} {
		if got := crontab("/opt/x y/kedge", dir); got != want {
			t.Errorf("%q: %q", dir, got)
		}
	}
}
