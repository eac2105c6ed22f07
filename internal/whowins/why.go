package whowins

import (
	"fmt"
	"strings"
)

// why returns why a tool uses a source, and where kedge is if that is another one.
func (s *Situation) why(t tool, source *Source) string {
	text := s.reason(t, source)
	if !source.ours && !source.lost {
		switch to := s.targetOf(t); {
		case to.kind == Nothing:
			text += "; nothing leads to kedge"
		case s.isMisread(t, to, source):
			text += "; kedge is in " + to.where + ", which this tool does not read as it is written"
		default:
			text += "; kedge is in " + to.where
		}
	}
	if len(s.unread) > 0 && !source.ours {
		text += "; what is in " + strings.Join(s.unread, " and ") + " does not count, for the file cannot be read"
	}
	if t.documented {
		text += " (by its documentation)"
	}
	return text
}

// isMisread reports whether the target is in the profile that a tool uses, and the tool goes on as if it
// was not there.
func (s *Situation) isMisread(t tool, to *target, source *Source) bool {
	if to.profile == "" || to.profile != s.selected(t) || to.file != s.filePath("config", s.expandHome) && to.file != s.filePath("credentials", s.expandHome) {
		return false
	}
	switch source.Kind {
	case Metadata, Container, Nothing:
		return to.kind == Process || to.kind == Keys
	case Process:
		return source.File == to.file && source.header == to.header
	case Refused:
		return source.cause == noProfile
	case Environment, Keys, Role, WebIdentity, SSO, Login:
	}
	return false
}

func (s *Situation) reason(t tool, source *Source) string {
	profile := fmt.Sprintf("the profile is %q", s.selected(t))
	if program := source.origin().Program; s.missing[program] {
		profile += ", and there is no program " + program + ", which its credential_process is"
		if !source.lost {
			profile += ": a path with spaces needs double quotes around it"
		}
		return profile
	}
	switch source.Kind {
	case Refused:
		if source.File != "" && source.header == "" {
			return source.File + ": " + source.Problem
		}
		return source.Problem
	case Environment:
		return "keys in the environment come before all profiles"
	case WebIdentity:
		if source.File == "" {
			return "the token of AWS_WEB_IDENTITY_TOKEN_FILE comes before what else is configured"
		}
	case Process:
		switch {
		case source.Program == "":
			return profile + ", and its credential_process cannot be taken apart"
		case !source.ours:
			return profile + ", and its credential_process is " + source.Program
		}
	case Container, Metadata:
		return profile + ", which names no other source"
	case Nothing:
		return profile + ", which names no source, and the metadata service is disabled"
	case Keys, Role, SSO, Login:
	}
	return profile + ", and the first source in it is " + source.What()
}
