package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kedge/internal/config"
	"kedge/internal/processline"
	"kedge/internal/safefile"
	"kedge/internal/units"
)

// timer is what may renew the certificate in a folder.
type timer struct {
	systemd, installed, enabled bool
	ours                        bool   // the timer of systemd renews what is in the folder
	cron                        string // the file with a line that renews it
}

// maxCron bounds what is read of a file of cron, in bytes.
const maxCron = 1 << 20

// lookTimer looks for the timer of systemd and for lines of cron that renew what is in a folder.
func lookTimer(root, dir string) timer {
	t := timer{}
	if info, err := os.Stat(filepath.Join(root, "/run/systemd/system")); err == nil { // sd_booted(3)
		t.systemd = info.IsDir()
	}
	t.installed, t.enabled = units.State(root)
	owner := config.Owner(dir)
	t.ours = filepath.Dir(dir) == filepath.Join(root, units.StateDir) && owner == units.User
	for _, file := range cronFiles(root) {
		data, err := safefile.ReadInput(file.path, maxCron)
		if err != nil {
			continue // of another user
		}
		for line := range strings.Lines(string(data)) {
			if renews(line, file.user, dir, owner) {
				t.cron = file.path
			}
		}
	}
	return t
}

// cronFile is a file of cron.
type cronFile struct {
	path string
	user string // whose lines it has; empty: each line names one
}

// cronFiles returns the files that cron reads: those of the system, and those of users on Debian and Red Hat.
func cronFiles(root string) []cronFile {
	files := []cronFile{{filepath.Join(root, "/etc/crontab"), ""}}
	for _, folder := range []string{"/etc/cron.d", "/var/spool/cron/crontabs", "/var/spool/cron"} {
		folder = filepath.Join(root, folder)
		entries, _ := os.ReadDir(folder) // no folder is no line
		for _, entry := range entries {
			user := entry.Name()
			if filepath.Base(folder) == "cron.d" {
				user = ""
				if strings.ContainsAny(entry.Name(), ".~") { // cron does not read it
					continue
				}
			}
			files = append(files, cronFile{filepath.Join(folder, entry.Name()), user})
		}
	}
	return files
}

// renews reports whether a line of cron renews what is in a folder: by its name, or with all identities of its owner.
func renews(line, user, dir, owner string) bool {
	words := strings.Fields(line)
	times := 5
	if len(words) > 0 && strings.HasPrefix(words[0], "@") {
		times = 1
	}
	if len(words) < times+3 || strings.HasPrefix(words[0], "#") {
		return false
	}
	words = words[times:]
	if user == "" {
		user, words = words[0], words[1:]
	}
	if split, err := processline.Split(strings.Join(words, " ")); err == nil {
		words = split
	}
	i := slices.Index(words, "renew")
	if i < 1 || filepath.Base(words[i-1]) != "kedge" {
		return false
	}
	if args := words[i+1:]; !slices.Contains(args, "--all") {
		return names(args, dir)
	}
	base := filepath.Dir(dir) // see config.StateDir
	return user == "root" && base == units.StateDir ||
		user == owner && (base == units.StateDir || strings.HasSuffix(base, "/.local/state/kedge"))
}

// names reports whether arguments of kedge name a folder.
func names(args []string, dir string) bool {
	at := slices.Index(args, "--dir")
	return slices.Contains(args, "--dir="+dir) || at >= 0 && at+1 < len(args) && filepath.Clean(args[at+1]) == dir
}

// judgeTimer judges what renews.
func judgeTimer(t timer, dir string) *Finding {
	switch {
	case dir == "":
		return notEnrolled()
	case t.cron != "":
		return ok("a line of " + t.cron)
	case t.enabled && t.ours:
		return ok(units.Timer + " of systemd is enabled")
	case t.installed && t.ours:
		return warning(units.Timer+" is installed and not enabled", "enable it").run("sudo systemctl enable --now %s", units.Timer)
	case t.systemd || t.enabled:
		seen := "neither " + units.Timer + " nor a line of cron that this user can read renews this folder"
		if t.enabled {
			seen += ": the timer renews what is in " + units.StateDir + " and belongs to " + units.User
		}
		f := warning(seen, "add a line to the crontab of the user that owns the folder, unless kedge renew --every runs")
		if program, err := os.Executable(); err == nil && config.IsOwner(dir) {
			f.Command = crontab(program, dir)
		}
		return f
	}
	return ok("systemd does not run here: what renews is not known")
}

// crontab returns the command that adds a line to this user's crontab; none, if a name has what the shell, echo or
// cron (a percent sign is its line ending) would change.
func crontab(program, dir string) string {
	line, err := processline.Join([]string{program, "renew", "--quiet", "--dir", dir})
	if err != nil || strings.ContainsAny(line, `'%\`) {
		return ""
	}
	return "(crontab -l 2>/dev/null; echo '*/5 * * * * " + line + "') | crontab -"
}
