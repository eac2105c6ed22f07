package examples

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kedge/internal/doctor"
	"kedge/internal/testenv"
)

var update = flag.Bool("update", false, "write the documents that are generated")

const generatedNote = "Written by `make docs`: do not edit.\n\n"

// TestGenerated: the documents that are made of the programs and their source are as "make docs" writes them.
func TestGenerated(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"docs/troubleshooting.md":          troubleshooting(t),
		"docs/reference/kedge.md":          commandReference(t, "kedge"),
		"docs/reference/kedge-ca.md":       commandReference(t, "kedge-ca"),
		"docs/reference/kedge-emulator.md": commandReference(t, "kedge-emulator"),
		"docs/reference/configuration.md":  configurationReference(t),
		"docs/reference/metrics.md":        metricsReference(t),
	} {
		path := filepath.Join(testenv.Root(t), filepath.FromSlash(name))
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if was, err := os.ReadFile(path); err != nil || string(was) != text {
			t.Errorf("%s is not what the programs are now: run make docs (%v)", name, err)
		}
	}
}

// helpText returns the help of a command, such as that of "kedge cache list", in no environment.
func helpText(t *testing.T, words ...string) string {
	t.Helper()
	cmd := exec.Command(program(words[0]), append(slices.Clone(words[1:]), "--help")...)
	cmd.Env, cmd.Dir = []string{"HOME=/home/user"}, "/"
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v", words, err)
	}
	return string(out)
}

// commands returns a command and all below it, as words.
func commands(t *testing.T, words ...string) [][]string {
	t.Helper()
	all := [][]string{words}
	_, list, _ := strings.Cut(helpText(t, words...), "\nAvailable Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	for line := range strings.Lines(list) {
		if name := strings.Fields(line)[0]; name != "help" && name != "completion" {
			all = append(all, commands(t, append(slices.Clone(words), name)...)...)
		}
	}
	return all
}

// commandReference is the help of all commands of a program.
func commandReference(t *testing.T, name string) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "# Commands of %s\n\n%s", name, generatedNote)
	all := commands(t, name)
	if len(all) > 1 {
		for _, words := range all {
			path := strings.Join(words, " ")
			fmt.Fprintf(&b, "- [%s](#%s)\n", path, strings.ReplaceAll(path, " ", "-"))
		}
		b.WriteString("\n")
	}
	for _, words := range all {
		fmt.Fprintf(&b, "## %s\n\n```text\n%s\n```\n\n", strings.Join(words, " "), strings.TrimSpace(helpText(t, words...)))
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// configurationReference is the keys of the configuration of kedge, and that of kedge-ca with its defaults.
func configurationReference(t *testing.T) string {
	t.Helper()
	option := regexp.MustCompile(`(?m)^ +(?:-\w, )?--([a-z0-9-]+)(?: [A-Za-z]\S*)? {2,}(.*)$`)
	meaning, users := map[string]string{}, map[string][]string{}
	sections := []string{"credential-process", "exec", "export", "serve", "update"} // of commands, in the file
	for _, section := range sections {
		help := helpText(t, "kedge", section)
		for _, m := range option.FindAllStringSubmatch(help, -1) {
			if m[1] == "help" || m[1] == "config" || m[1] == "profile" {
				continue
			}
			meaning[m[1]] = m[2]
			users[m[1]] = append(users[m[1]], section)
		}
	}
	var b strings.Builder
	b.WriteString("# Configuration keys\n\n" + generatedNote + "## kedge: config.yaml\n\n")
	b.WriteString("A key is the name of a flag: under `defaults` or a profile if all commands have it, else under the name of the command. Its\n")
	b.WriteString("variable is `KEDGE_` and the name in capitals, with `_` for `-`. [hosts.md](../hosts.md#configuration) has an example.\n\n| key | meaning | of |\n|---|---|---|\n")
	for _, key := range slices.Sorted(maps.Keys(meaning)) {
		of := strings.Join(users[key], ", ")
		if len(users[key]) == len(sections) {
			of = "all"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", key, cell(meaning[key]), of)
	}
	cmd := exec.Command(program("kedge-ca"), "config", "show", "--dir", t.TempDir())
	cmd.Env = []string{"HOME=/home/user"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "\n## kedge-ca: kedge-ca.yaml\n\n`kedge-ca config show` prints it, with the values in force. These are the defaults.\n\n```yaml\n%s```\n", out)
	return b.String()
}

// cell returns a text for a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`).Replace(text)
}

// cells returns texts for one cell of a table.
func cells(texts []string) string {
	escaped := make([]string, len(texts))
	for i, text := range texts {
		escaped[i] = cell(text)
	}
	return strings.Join(escaped, "<br>")
}

// troubleshooting is what the programs advise for each kind of error, and what kedge doctor checks.
func troubleshooting(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# Troubleshooting\n\n" + generatedNote)
	b.WriteString("A program writes what went wrong after `error:`, and what to do after `hint:`. The tables have what it can say, with … for\nnames and values that depend on the case. ")
	b.WriteString("On a host, begin with `kedge doctor`, which checks all of this in the order in which one\nthing depends on another: [doctor.md](doctor.md).\n")
	for _, part := range []struct{ title, folder string }{
		{"kedge, on hosts", "internal/hostadvice"}, {"kedge-ca", "internal/caadvice"}, {"Keys, files and passwords, in both", "internal/advice"},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n| error | what to do |\n|---|---|\n", part.title)
		for _, row := range adviceIn(t, part.folder) {
			if strings.Trim(strings.Join(row.hints, ""), "…") == "" || strings.Trim(strings.Join(row.messages, ""), "… ") == "" {
				continue // what it is about, or what to do, is not in the source: nobody finds such a row, or learns from it
			}
			fmt.Fprintf(&b, "| %s | %s |\n", cells(row.messages), cells(row.hints))
		}
	}
	b.WriteString("\n## Checks of kedge doctor\n\n| check | what it is about |\n|---|---|\n")
	for _, c := range append(doctor.New(doctor.Options{}).Checks(), doctor.Programs{}.Checks()...) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", c.ID, cell(c.Title))
	}
	return b.String()
}
