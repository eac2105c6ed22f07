package whowins

import (
	"cmp"
	"maps"
	"os"
	"strconv"
	"strings"

	"kedge/internal/processline"
)

// step is a command, and the situation after it.
type step struct {
	command string
	after   *Situation
}

// maxSteps bounds how many commands one fix has.
const maxSteps = 8

// fix returns commands after which a tool uses kedge, one in each line. It tries each on the model.
func (s *Situation) fix(t tool) string {
	if s.targetOf(t).kind == Nothing {
		return s.configure
	}
	var commands []string
	now := s
	for range maxSteps {
		source := t.ask(now)
		if source.ours {
			return strings.Join(commands, "\n")
		}
		to := now.targetOf(t)
		next := now.unlessGuessed(to, source, now.next(t, to, source))
		if next.command == "" && to.file != "" {
			next = now.edit(to.file, now.lineOf(to))
		}
		if next.command == "" {
			return ""
		}
		commands = append(commands, next.command)
		if next.after == nil { // a person goes on
			return strings.Join(commands, "\n")
		}
		now = next.after
	}
	return ""
}

// unlessGuessed returns a step, but leaves a change of a file to a person if the target is an endpoint that may
// be of another program.
func (s *Situation) unlessGuessed(to *target, source *Source, next step) step {
	isGuess := (to.kind == Container || to.kind == Metadata) && !s.asked
	if isGuess && next.after != nil && next.after.edits > s.edits {
		return s.edit(cmp.Or(source.File, to.file), 0)
	}
	return next
}

// next returns the step that takes away what a tool uses instead of the target. No command: only a
// person can do it.
func (s *Situation) next(t tool, to *target, source *Source) step {
	if cleared := s.clear(source); cleared.command != "" {
		return cleared
	}
	switch {
	case to.file != "" && s.find(to).command != "":
		return s.find(to)
	case to.rename != "":
		return s.rename(to)
	case to.profile != "" && s.selected(t) != to.profile:
		return s.choose(t, to.profile)
	case t.prefixed && to.header == "default" && to.file == s.filePath("config", s.expandHome):
		prefixed := *to
		prefixed.rename = "profile default"
		return s.rename(&prefixed)
	case s.isMisread(t, to, source):
		return step{}
	case source.File != "":
		return s.leave(t, to, source)
	case source.cause == noProfile:
		return s.unset(t.profiles...)
	}
	return s.end(to, source)
}

// clear is the step for what comes before all profiles.
func (s *Situation) clear(source *Source) step {
	switch {
	case source.lost:
		return s.restore(source.origin())
	case source.cause == broken:
		return s.edit(source.File, lineIn(source.Problem))
	case source.Kind == Environment, source.cause == halfPair:
		return s.unset("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_EXPIRATION",
			"AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AMAZON_ACCESS_KEY_ID", "AMAZON_SECRET_ACCESS_KEY", "AMAZON_SESSION_TOKEN")
	case source.Kind == WebIdentity && source.File == "", source.cause == halfToken:
		return s.unset("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME")
	}
	return step{}
}

// end is the step for the end of the chain.
func (s *Situation) end(to *target, source *Source) step {
	switch {
	case source.Kind == Container && to.kind == Container:
		return s.unset("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
	case source.Kind == Container:
		return s.unset("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
	case source.Kind == Nothing:
		return s.unset("AWS_EC2_METADATA_DISABLED")
	case source.Kind == Metadata && to.kind == Metadata && to.profile != "":
		return s.unset("AWS_EC2_METADATA_SERVICE_ENDPOINT")
	}
	return step{}
}

// leave takes a tool away from a source in a file: to no profile, if the target is none and another one is
// named; to no credentials file; else the settings of the source go.
func (s *Situation) leave(t tool, to *target, source *Source) step {
	isVariable := to.profile == "" && s.profile == ""
	switch {
	case isVariable && s.selected(t) != "default":
		return s.unset(t.profiles...)
	case isVariable && source.File == s.filePath("credentials", s.expandHome):
		return s.hideCredentials()
	}
	return s.strip(source)
}

// hideCredentials names an empty credentials file, and leaves that of the user alone.
func (s *Situation) hideCredentials() step {
	after := s.clone()
	after.env["AWS_SHARED_CREDENTIALS_FILE"] = os.DevNull
	return step{"export AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, after}
}

// choose names another profile.
func (s *Situation) choose(t tool, profile string) step {
	after := s.clone()
	if s.profile != "" {
		after.profile = profile
		return step{"# name the profile " + profile + " instead, such as by --profile " + quote(profile), after}
	}
	var gone []string
	for _, variable := range t.profiles {
		if _, set := after.env[variable]; set && variable != "AWS_PROFILE" {
			gone = append(gone, variable)
		}
		delete(after.env, variable)
	}
	command := "export AWS_PROFILE=" + quote(profile)
	after.env["AWS_PROFILE"] = profile
	if len(gone) > 0 {
		command = "unset " + strings.Join(gone, " ") + "\n" + command
	}
	return step{command, after}
}

// unset removes those of the variables that are set.
func (s *Situation) unset(variables ...string) step {
	after := s.clone()
	var set []string
	for _, name := range variables {
		if _, is := after.env[name]; is {
			set = append(set, name)
			delete(after.env, name)
		}
	}
	if len(set) == 0 {
		return step{}
	}
	return step{"unset " + strings.Join(set, " "), after}
}

func (s *Situation) clone() *Situation {
	after := *s
	after.env, after.files = maps.Clone(s.env), maps.Clone(s.files)
	return &after
}

// edit opens a file at a line; 0: at its begin.
func (s *Situation) edit(file string, line int) step {
	at := ""
	if line > 0 {
		at = "+" + strconv.Itoa(line) + " "
	}
	return step{command: `"${EDITOR:-vi}" ` + at + quote(file)}
}

// lineIn returns the number of the line that an error names.
func lineIn(problem string) int {
	_, rest, _ := strings.Cut(problem, "line ")
	n, err := strconv.Atoi(rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))])
	if err != nil {
		return 0
	}
	return n
}

// lineOf returns the number of the line with the program of the target, or of the first like it.
func (s *Situation) lineOf(to *target) int {
	number := 0
	for text := range strings.Lines(s.files[to.file].text) {
		number++
		if to.kind == Process && strings.HasPrefix(strings.ToLower(strings.TrimSpace(text)), "credential_process") {
			return number
		}
	}
	return 0
}

// find lets the tool read the file of the target, if a variable names another one, or the same in a way
// that the tool does not take.
func (s *Situation) find(to *target) step {
	for _, name := range []string{"config", "credentials"} {
		variable := fileVariable(name)
		value, set := s.env[variable]
		switch {
		case set && to.file == s.defaultPath(name) && s.expandHome(value) != to.file:
			return s.unset(variable)
		case set && to.file == s.expandHome(value) && to.file != value:
			after := s.clone()
			after.env[variable] = to.file
			return step{"export " + variable + "=" + quote(to.file), after}
		}
	}
	return step{}
}

// quote writes a word for a POSIX shell.
func quote(word string) string {
	if processline.Plain(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
