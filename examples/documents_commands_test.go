package examples

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// shownCommand returns what matches a command line of ours in a line of a document: the program, and its arguments up to the
// end of the code or of the command.
func shownCommand(block bool) *regexp.Regexp {
	before, end := "[`\"]", `"`
	if block {
		end = ""
		before = "(?:^ {4,}|[$|&;(`\"*] *|-- +)"
	}
	return regexp.MustCompile(before + "(?:[A-Z_]+=\\S+ +)?(kedge(?:-ca|-emulator)?)((?: +[^\\s`|;&<>#)" + end + "]+)+)")
}

// TestDocuments_commands: each command that a document shows exists, with its flags, whether it is run or not.
func TestDocuments_commands(t *testing.T) {
	t.Parallel()
	_, all := guides(t)
	helps, inBlock, inText := map[string]string{}, shownCommand(true), shownCommand(false)
	checked := 0
	for _, name := range all {
		if name == "CHANGELOG.md" || name == "CONTRIBUTING.md" {
			continue // commands of the past, and prose about programs
		}
		for n, line := range strings.Split(testenv.Document(t, name), "\n") {
			shown := inText
			if strings.HasPrefix(line, "    ") {
				shown = inBlock
			}
			for _, m := range shown.FindAllStringSubmatch(line, -1) {
				if fault := unknownPart(t, helps, m[1], strings.Fields(m[2])); fault != "" {
					t.Errorf("%s:%d: %s%s: there is no %s", name, n+1, m[1], m[2], fault)
				}
				checked++
			}
		}
	}
	if checked < 100 {
		t.Errorf("only %d commands", checked)
	}
}

// unknownPart returns the subcommand or flag that a program does not have, or nothing.
func unknownPart(t *testing.T, helps map[string]string, program string, args []string) string {
	t.Helper()
	word := regexp.MustCompile(`^[a-z][a-z-]*$`)
	help := helpOf(t, helps, program)
	for i, arg := range args {
		if !word.MatchString(arg) {
			break
		}
		deeper := helpOf(t, helps, program, args[:i+1]...)
		if deeper == "" {
			if i == 0 && program != "kedge-emulator" {
				return arg
			}
			break
		}
		help = deeper
	}
	for _, arg := range args {
		if arg == "--" {
			break
		}
		if name := regexp.MustCompile(`^--([a-z0-9-]+)`).FindStringSubmatch(arg); name != nil && name[1] != "help" && !strings.Contains(help, name[0]) {
			return name[0]
		}
	}
	return ""
}

// helpOf returns the help of a command, or nothing if there is no such command.
func helpOf(t *testing.T, helps map[string]string, name string, words ...string) string {
	t.Helper()
	path := strings.Join(append([]string{name}, words...), " ")
	if text, ok := helps[path]; ok {
		return text
	}
	out, _ := exec.Command(program(name), slices.Concat(words, []string{"--help"})...).CombinedOutput() // an error has no usage
	text := string(out)
	if !regexp.MustCompile(`(?m)^Usage:\n +` + regexp.QuoteMeta(path) + `(\s|$)`).MatchString(text) {
		text = ""
	}
	helps[path] = text
	return text
}

// TestUnknownPart: the check itself finds a command and a flag that are not there.
func TestUnknownPart(t *testing.T) {
	t.Parallel()
	helps := map[string]string{}
	for line, want := range map[string]string{
		"kedge enroll --token-file x --dir y": "", "kedge enrol --dir y": "enrol", "kedge renew --nosuch": "--nosuch", "kedge exec --profile x -- aws --nosuch": "",
		"kedge-ca ledger archive --before 30d": "", "kedge-ca ledger archive --behind 30d": "--behind", "kedge-emulator --nosuch": "--nosuch",
	} {
		args := strings.Fields(line)
		if got := unknownPart(t, helps, args[0], args[1:]); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}
