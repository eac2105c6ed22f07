package awsexplain

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"kedge/ca"
	"kedge/internal/awsadmin"
	"kedge/internal/report"
)

// The most that a session takes (STS API Reference, AssumeRole, Policy and PolicyArns).
const (
	maxSessionPolicy   = 2048 // characters
	maxManagedPolicies = 10
)

// judgeProfile judges whether the profile is there.
func judgeProfile(in *Input) finding {
	answer := in.Account.Profile
	switch p := answer.Value; {
	case answer.Denied != "":
		return lacking(answer.Denied)
	case p == nil && in.Ours.Profile != "" && in.Ours.Profile != in.Uses.Profile:
		return failed("there is no profile "+in.Uses.Profile, "configure the host with that of this CA, "+in.Ours.Profile)
	case p == nil:
		return failed("there is no profile "+in.Uses.Profile, "build it again, and configure hosts with its new ARN").build(in)
	default:
		return ok(p.ARN + ", " + p.Name)
	}
}

// judgeProfileEnabled judges whether the profile gives sessions.
func judgeProfileEnabled(in *Input) finding {
	p := in.Account.Profile.Value
	if p.Enabled {
		return ok("it is")
	}
	return failed("it is disabled: no host gets a session by it", "find out who disabled it, and why, in CloudTrail (DisableProfile); if nothing is wrong, enable it").
		run("aws rolesanywhere enable-profile --profile-id %s"+in.region(), p.ARN)
}

// judgeProfileRoles judges whether the profile has the role of the host.
func judgeProfileRoles(in *Input) finding {
	p := in.Account.Profile.Value
	if slices.Contains(p.Roles, in.Uses.Role) {
		return ok(fmt.Sprintf("%s is one of %d", in.Uses.Role, len(p.Roles)))
	}
	return failed(fmt.Sprintf("%s is not one of its %d roles: %s", in.Uses.Role, len(p.Roles), report.FirstOf(p.Roles, report.MaxNamed, len(p.Roles))), "add it, or configure the host with a role that is one").addRole(in)
}

// addRole adds the command that gives the profile the role, besides those that it has.
func (f finding) addRole(in *Input) finding {
	p, line := in.Account.Profile.Value, "aws rolesanywhere update-profile --profile-id %s --role-arns"
	values := append([]string{p.ARN}, p.Roles...)
	values = append(values, in.Uses.Role)
	for range values[1:] {
		line += " %s"
	}
	return f.run(line+in.region(), values...)
}

// judgeSessionName judges whether a host may name its session (G, "CreateSession", roleSessionName).
func judgeSessionName(in *Input) finding {
	p := in.Account.Profile.Value
	switch {
	case p.AcceptsSessionName:
		return ok("hosts may name their sessions")
	case in.Report.says("not authorized to set rolesessionname"):
		return failed("the host names its session, and the profile accepts no names", "leave out --role-session-name on the host; or, if hosts may choose what CloudTrail names them by, have the profile accept it").
			run("aws rolesanywhere update-profile --profile-id %s --accept-role-session-name"+in.region(), p.ARN)
	}
	return ok("it is the serial number: a host that gives another one is refused")
}

// judgeSessionPolicies judges the policies of the profile, which limit what a session may do.
func judgeSessionPolicies(in *Input) finding {
	p := in.Account.Profile.Value
	if n := utf8.RuneCountInString(p.SessionPolicy); n > maxSessionPolicy {
		return failed(fmt.Sprintf("the session policy has %d characters, and a session takes %d", n, maxSessionPolicy), "shorten it, or move it into policies of the role")
	}
	if n := len(p.ManagedPolicies); n > maxManagedPolicies {
		return failed(fmt.Sprintf("it has %d managed policies, and a session takes %d", n, maxManagedPolicies), "remove some").
			run("aws rolesanywhere get-profile --profile-id %s --query profile.managedPolicyArns"+in.region(), p.ARN)
	}
	switch {
	case p.SessionPolicy != "" && len(p.ManagedPolicies) > 0:
		return ok(fmt.Sprintf("a session may do what its role, the session policy and one of %s all allow", policies(len(p.ManagedPolicies))))
	case p.SessionPolicy != "" || len(p.ManagedPolicies) > 0:
		return ok("they limit what a session may do to less than its role may")
	}
	return ok("there are none")
}

// judgeTags judges what the profile makes of the certificate.
func judgeTags(in *Input) finding {
	m, n := in.mapping(), 0
	for _, tag := range ca.SessionTags(in.Host.Certificate) {
		if m.Maps(tag.Key) {
			n++
		}
	}
	seen := fmt.Sprintf("%s of the certificate, by the mapping %s", report.Count(n, "tag"), m)
	if in.Report.says("failed to be mapped into session tags") {
		return failed(seen+": AWS could not take one of them", "issue a certificate whose names have letters, digits, spaces and _.:/=+-@ alone, or leave the attribute out of the mapping").
			run("kedge-ca show %s --pem | kedge-ca lint -", in.Host.Name)
	}
	return ok(seen)
}

// mapping returns what the profile maps; the default where the profile was not shown.
func (in *Input) mapping() *awsadmin.Mapping {
	if p := in.Account.Profile.Value; p != nil && p.Mapping != nil {
		return &awsadmin.Mapping{Fields: p.Mapping, Duration: p.Duration}
	}
	return awsadmin.DefaultMapping()
}

// judgeDuration judges whether the role allows the duration of the profile. That of a session is the shorter one of
// those of the profile and of the request (G, "CreateSession", durationSeconds).
func judgeDuration(in *Input) finding {
	p, r := in.Account.Profile.Value, in.Account.Role.Value
	if p.Duration <= r.MaxSession {
		return ok(fmt.Sprintf("up to %v by the profile, %v by the role", p.Duration, r.MaxSession))
	}
	seen := fmt.Sprintf("the profile allows %v, and the role %v: a host that asks for more than the role allows is refused", p.Duration, r.MaxSession)
	grade := warning
	if in.Report.says("exceeds the maxsessionduration") {
		grade = failed
	}
	return grade(seen, "lower --session-duration on the host, or raise that of the role").
		run("aws iam update-role --role-name %s --max-session-duration %s", r.Name, fmt.Sprint(int(p.Duration.Seconds())))
}
