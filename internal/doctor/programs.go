package doctor

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/safefile"
	"kedge/internal/whowins"
)

// maxProfiles bounds what is read of a file of profiles, in bytes.
const maxProfiles = 4 << 20

// configure is the command after which programs use kedge, where nothing leads to it.
const configure = "kedge configure --help"

// Programs specifies whose use of credentials is examined.
type Programs struct {
	Environment config.Environment
	// Command is a program with its arguments, which is not run. If it is empty, all tools are examined, and one
	// that does not use kedge is no failure.
	Command []string
	// Serves reports whether credentials come from an endpoint on this machine. It is not asked before the checks run.
	Serves func(endpoint string) bool
}

// Checks returns a check for each tool: which source of credentials it uses, and whether that is kedge.
func (p Programs) Checks() []Check {
	used := readCommand(p.Command)
	answers := sync.OnceValue(func() []whowins.Answer { return whowins.Look(p.inputs(used)).Answers() })
	var checks []Check
	for i, tool := range whowins.Tools() {
		if used.uses(tool) {
			checks = append(checks, Check{ID: idOf(tool), Title: tool, Run: func(context.Context) *Finding { return judgeProgram(answers()[i], used.known()) }})
		}
	}
	return checks
}

func (p Programs) inputs(used used) whowins.Inputs {
	in := whowins.Inputs{Environment: map[string]string{}, ReadFile: readProfiles, IsKedge: isThisProgram, Program: thisProgram(), IsServed: p.Serves, Configure: configure, Profile: used.profile}
	for _, variable := range slices.Backward(p.Environment) { // the first one counts
		name, value, _ := strings.Cut(variable, "=")
		in.Environment[name] = value
	}
	maps.Copy(in.Environment, used.variables)
	in.IsMissing = missingIn(filepath.SplitList(in.Environment["PATH"]))
	if u, err := user.Current(); err == nil {
		in.Home = u.HomeDir
	}
	return in
}

// idOf returns the ID of the check of a tool.
func idOf(tool string) string {
	return "uses-" + strings.ReplaceAll(strings.ToLower(strings.ReplaceAll(tool, ".", "")), " ", "-")
}

// judgeProgram judges what a tool uses. If it is that of a command which was named, another source than kedge is a
// failure; else it is one only to be known.
func judgeProgram(a whowins.Answer, named bool) *Finding {
	seen := a.Winner
	if a.Where != "" {
		seen += ", " + a.Where
	}
	var f *Finding
	switch {
	case a.Ours:
		return ok(seen)
	case named:
		f = failed(cli.ExitFailed, seen, a.Why)
	case isUnset(a.Source.Kind) && a.Fix == configure:
		return ok(seen + ": nothing is set up for it here") // such as on a host with kedge exec alone
	default:
		f = warning(seen, a.Why)
	}
	f.Command = a.Fix
	return f
}

// isUnset reports whether a source is what remains if nothing is set up.
func isUnset(k whowins.Kind) bool { return k == whowins.Nothing || k == whowins.Metadata }

// used is what a command line shows of a program's use of credentials.
type used struct {
	tools     []string // beginnings of names; empty: any
	profile   string
	variables map[string]string
}

// known reports whether the program's tool is known.
func (u used) known() bool { return len(u.tools) > 0 }

func (u used) uses(tool string) bool {
	return !u.known() || slices.ContainsFunc(u.tools, func(name string) bool { return strings.HasPrefix(tool, name) })
}

// readCommand reads a command, which can begin with env and variables.
func readCommand(command []string) used {
	u := used{variables: map[string]string{}}
	if len(command) > 0 && filepath.Base(command[0]) == "env" {
		command = command[1:]
		for len(command) > 0 && strings.Contains(command[0], "=") {
			name, value, _ := strings.Cut(command[0], "=")
			u.variables[name] = value
			command = command[1:]
		}
	}
	if len(command) == 0 {
		return u
	}
	u.tools = toolsOf(strings.TrimSuffix(filepath.Base(command[0]), ".exe"))
	if slices.Contains(u.tools, "AWS CLI") {
		u.profile = profileIn(command[1:])
	}
	return u
}

// profileIn returns the value of --profile; the last one counts, as in the AWS CLI.
func profileIn(args []string) (profile string) {
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, "--profile="); ok {
			profile = value
		}
		if arg == "--profile" && i+1 < len(args) {
			profile = args[i+1]
		}
	}
	return profile
}

// toolsOf returns which SDK a program has, as far as its name shows that; none: it does not.
func toolsOf(program string) []string {
	for _, known := range []struct{ programs, tool string }{
		{"aws", "AWS CLI"},
		{"python python2 python3 ipython ansible ansible-playbook duplicity", "boto3"},
		{"terraform tofu packer eksctl rclone", "AWS SDK for Go"},
		{"node npm npx yarn pnpm cdk serverless", "AWS SDK for JavaScript"},
		{"java mvn gradle", "AWS SDK for Java "},
		{"dotnet pwsh", "AWS SDK for .NET"},
		{"php", "AWS SDK for PHP"},
		{"ruby bundle rake", "AWS SDK for Ruby"},
	} {
		if slices.Contains(strings.Fields(known.programs), program) {
			return []string{known.tool}
		}
	}
	if strings.HasPrefix(program, "python3.") {
		return []string{"boto3"}
	}
	return nil
}

// readProfiles reads a file of the SDKs. They follow links, and so does this.
func readProfiles(path string) ([]byte, error) { return safefile.ReadRegular(path, maxProfiles) }

// thisProgram returns the path of the program that runs; empty: it is not known.
func thisProgram() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	return path
}

// missingIn returns what reports whether there is no such program that this user can run; a name alone is looked for
// in folders. Without folders, and for what a shell would expand, that is not known.
func missingIn(folders []string) func(program string) bool {
	return func(program string) bool {
		if strings.ContainsAny(program, "~$%") {
			return false
		}
		if filepath.Base(program) != program {
			return !isProgram(program)
		}
		return len(folders) > 0 && !slices.ContainsFunc(folders, func(folder string) bool { return isProgram(filepath.Join(folder, program)) })
	}
}

func isProgram(path string) bool {
	_, err := exec.LookPath(path)
	return err == nil || errors.Is(err, exec.ErrDot)
}

// isThisProgram reports whether a program is the one that runs, such as by a link. It is not run.
func isThisProgram(program string) bool {
	path, err := exec.LookPath(program)
	if err != nil {
		return false
	}
	a, err := os.Stat(path)
	if err != nil {
		return false
	}
	b, err := os.Stat(thisProgram())
	return err == nil && os.SameFile(a, b)
}
