package awsexplain

import (
	"slices"
	"strconv"
	"strings"

	"kedge/internal/awsadmin"
	"kedge/internal/report"
)

// judgeRole judges whether the role is there.
func judgeRole(in *Input) finding {
	answer := in.Account.Role
	switch r := answer.Value; {
	case answer.Denied != "":
		return lacking(answer.Denied)
	case r == nil:
		return failed("there is no role "+in.Uses.Role, "build it again, or configure the host with another role").build(in)
	case r.ARN != in.Uses.Role:
		return failed("the role of that name is "+r.ARN+", and the host uses "+in.Uses.Role, "configure the host with that ARN")
	default:
		return ok(r.ARN)
	}
}

// build adds the command that builds what the configuration describes.
func (f finding) build(in *Input) finding {
	if in.Role.Name == "" {
		f.advice += "; kedge-ca.yaml does not describe the role: give the flags that it was built with"
	}
	return f.run("kedge-ca aws up")
}

// judgeTrust evaluates the trust policy for the session of the host's certificate.
func judgeTrust(in *Input) finding {
	r := in.Account.Role.Value
	trust, err := awsadmin.ReadTrust([]byte(r.Trust))
	if err != nil {
		return failed(err.Error(), "write another one").remedy(in)
	}
	linter := awsadmin.Linter{Profile: in.mapping(), Now: in.Now}
	refused := linter.Decide(trust, awsadmin.SessionOf(in.Host.Certificate, in.Account.Anchor.Value.ARN))
	if len(refused) == 0 {
		return ok("it gives the role to this certificate")
	}
	var texts, unmapped []string
	for _, one := range refused {
		texts = append(texts, one.String())
		unmapped = append(unmapped, one.Unmapped...)
	}
	f := failed(strings.Join(texts, "; "), "")
	if len(unmapped) > 0 {
		return f.mapTags(in, unmapped)
	}
	return f.remedy(in)
}

// mapTags adds the commands by which the profile maps the tags that the policy compares.
func (f finding) mapTags(in *Input, tags []string) finding {
	f.advice = "have the profile map what the policy compares"
	slices.Sort(tags)
	for _, tag := range slices.Compact(tags) {
		field, specifier, _ := strings.Cut(tag, "/")
		f = f.run("aws rolesanywhere put-attribute-mapping --profile-id %s --certificate-field %s --mapping-rules %s"+in.region(), in.Uses.Profile, field, "specifier="+specifier)
	}
	return f
}

// maxRemedyNames is how many hosts a command names: with more, a person should decide on the policy.
const maxRemedyNames = 20

// remedy adds what gives the host the role: the plan of the configuration or, where that does not describe the role, a
// trust policy for the hosts that get it now and this one.
func (f finding) remedy(in *Input) finding {
	d, names := in.Role, append(slices.Clone(in.Role.Hosts), in.Host.Name)
	slices.Sort(names)
	names = slices.Compact(names)
	switch {
	case d.Name != "" && d.Gives:
		f.advice = "the configuration gives the host this role: bring the account in line with it"
		return f.run("kedge-ca aws up --role %s", d.Name)
	case d.Name != "":
		f.advice = "if the host should get this role, add it to the role " + d.Name + " under aws: roles: in kedge-ca.yaml, and bring the account in line with that"
		return f.run("kedge-ca aws up --role %s", d.Name)
	case len(names) > maxRemedyNames:
		f.advice = "write a policy for " + report.FirstOf(names, report.MaxNamed, len(names)) + ", such as by an organizational unit: kedge-ca aws policy --ou UNIT"
		return f.run("aws iam get-role --role-name %s", in.Account.Role.Value.Name)
	}
	f.advice = "replace the policy by one for this host and the hosts of the ledger that get the role now, and for nobody else"
	values := append(slices.Clone(names), in.Account.Anchor.Value.ARN)
	return f.run("kedge-ca aws policy"+strings.Repeat(" %s", len(names))+" --trust-anchor %s > trust.json", values...).
		run("aws iam update-assume-role-policy --role-name %s --policy-document file://trust.json", in.Account.Role.Value.Name)
}

// judgePermissions judges whether the role may do anything: a session without rights looks to its user as none does.
func judgePermissions(in *Input) finding {
	r := in.Account.Role.Value
	n := len(r.Attached) + len(r.Inline)
	if n == 0 {
		return warning("it has none: a session may do nothing but ask whose it is", "give the role the policies that hosts need").run("aws iam list-attached-role-policies --role-name %s", r.Name)
	}
	if r.Boundary != "" {
		return ok(policies(n) + ", limited by " + r.Boundary)
	}
	return ok(policies(n))
}

func policies(n int) string {
	if n == 1 {
		return "1 policy"
	}
	return strconv.Itoa(n) + " policies"
}
