package doctor

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"kedge/internal/config"
	"kedge/internal/credfile"
	"kedge/internal/enrollclient"
	"kedge/internal/hostdir"
	"kedge/internal/processline"
)

// Default is what is examined where neither flags nor variables nor the configuration name a certificate and a role.
type Default struct {
	Name  string   // for people
	Flags []string // of kedge credential-process
}

// Default returns the one identity of this user, if there is exactly one and its CA named a role; else the line of
// credential_process, if that runs kedge, of the AWS profile that the program uses. It is nil if there is neither.
func (p Programs) Default() *Default {
	if d := enrolledDefault(p.Environment); d != nil {
		return d
	}
	return p.profileDefault()
}

func enrolledDefault(env config.Environment) *Default {
	base, err := config.StateDir(env)
	if err != nil {
		return nil
	}
	dirs, err := hostdir.List(base)
	if err != nil || len(dirs) != 1 {
		return nil
	}
	pair, err := hostdir.Current(dirs[0])
	if err != nil || pair.Record.AWS == nil {
		return nil
	}
	return &Default{Name: "the identity " + pair.Record.Name + " in " + dirs[0], Flags: enrollclient.RoleFlags(dirs[0], pair)}
}

// profileDefault looks into the file of profiles as the SDKs do. They take AWS_PROFILE, or "default".
func (p Programs) profileDefault() *Default {
	used := readCommand(p.Command)
	lookup := func(name string) string {
		value, _ := p.Environment.Lookup(name)
		return cmp.Or(used.variables[name], value)
	}
	profile := cmp.Or(used.profile, lookup("AWS_PROFILE"), "default")
	path := cmp.Or(lookup("AWS_CONFIG_FILE"), filepath.Join(lookup("HOME"), ".aws", "config"))
	data, err := readProfiles(path)
	if err != nil { // the checks of the programs name it
		return nil
	}
	sections := credfile.ReadAsGo(string(data))
	line := sections["profile "+profile]["credential_process"]
	if line == "" && profile == "default" {
		line = sections[profile]["credential_process"]
	}
	flags, isKedge := flagsIn(line)
	if !isKedge {
		return nil
	}
	return &Default{Name: "the credential_process of the profile " + profile + " in " + path, Flags: flags}
}

// flagsIn returns the flags of a line that runs kedge credential-process.
func flagsIn(line string) (flags []string, isKedge bool) {
	words, err := processline.Split(line)
	if err != nil {
		return nil, false
	}
	i := slices.Index(words, "credential-process")
	if i < 1 {
		return nil, false
	}
	program := i - 1
	for program > 0 && strings.HasPrefix(words[program], "-") { // flags of kedge, such as --quiet
		program--
	}
	if !isKedgeProgram(words[program]) {
		return nil, false
	}
	return slices.Concat(words[program+1:i], words[i+1:]), true
}

// isKedgeProgram reports whether a program is kedge, by its name or since it is the one that runs.
func isKedgeProgram(program string) bool {
	return strings.TrimSuffix(filepath.Base(program), ".exe") == "kedge" || isThisProgram(program)
}
