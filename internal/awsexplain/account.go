package awsexplain

import (
	"fmt"
	"strings"

	"kedge/internal/cadir"
)

// judgeARNs judges what the host names in CreateSession.
func judgeARNs(in *Input) finding {
	var missing []string
	for _, a := range in.arns() {
		if a.uses == "" {
			missing = append(missing, a.what)
		}
	}
	if len(missing) > 0 {
		text := "no " + strings.Join(missing, ", no ") + " is known"
		if in.Report != nil {
			return failed(text+" by the report", "complete the configuration of the host: kedge doctor there names what is missing")
		}
		return failed(text, "build what hosts need, or give --role").run("kedge-ca aws up")
	}
	if f, wrong := in.Uses.apart(); wrong {
		return f
	}
	for _, a := range in.arns() {
		if a.ours != "" && a.uses != a.ours {
			return warning(fmt.Sprintf("the host uses the %s %s, and this CA has %s", a.what, a.uses, a.ours), "unless that is meant, configure the host with "+a.ours)
		}
	}
	return ok(in.Uses.TrustAnchor + ", " + in.Uses.Profile + ", " + in.Uses.Role)
}

// named is an ARN with its kind.
type named struct{ what, uses, ours string }

func (in *Input) arns() []named {
	return []named{
		{"trust anchor", in.Uses.TrustAnchor, in.Ours.TrustAnchor},
		{"profile", in.Uses.Profile, in.Ours.Profile},
		{"role", in.Uses.Role, in.Ours.Role},
	}
}

// Fit reports whether these are ARNs of one account and region, so that AWS can be asked about them.
func (a ARNs) Fit() bool {
	_, wrong := a.apart()
	return !wrong
}

// apart finds ARNs that are malformed, or of different accounts or regions: the profile is of those of the trust anchor,
// and the role of its account (G, "Creating a profile").
func (a ARNs) apart() (finding, bool) {
	anchor, err := cadir.ParseReference(a.TrustAnchor, cadir.TrustAnchorARN)
	profile, profileErr := cadir.ParseReference(a.Profile, cadir.ProfileARN)
	role, roleErr := cadir.ParseRole(a.Role)
	for _, err := range []error{err, profileErr, roleErr} {
		if err != nil {
			return failed(err.Error(), "correct it where the host is configured"), true
		}
	}
	where := anchor.Account + ", " + anchor.Region
	switch {
	case profile.Account != anchor.Account || profile.Region != anchor.Region:
		return failed(fmt.Sprintf("the trust anchor is in %s, and the profile in %s, %s", where, profile.Account, profile.Region), "configure the host with a profile of the account and region of the trust anchor"), true
	case role.Account != anchor.Account:
		return failed(fmt.Sprintf("the trust anchor is in %s, and the role in %s", where, role.Account), "take a role of the same account; from that one, hosts can assume others: --assume-role-arn"), true
	}
	return finding{}, false
}

// judgeAccount judges whether the credentials are of the account of the trust anchor.
func judgeAccount(in *Input) finding {
	anchor, _ := cadir.ParseReference(in.Uses.TrustAnchor, cadir.TrustAnchorARN)
	if in.Account.ID != anchor.Account {
		return failed(fmt.Sprintf("these credentials, %s, are of account %s, and the trust anchor is in %s", in.Account.Caller, in.Account.ID, anchor.Account), "take credentials of that account: --aws-profile NAME")
	}
	if in.Account.Region != anchor.Region {
		return failed(fmt.Sprintf("the requests went to %s, and the trust anchor is in %s", in.Account.Region, anchor.Region), "leave out --region, or give --region "+anchor.Region)
	}
	return ok(fmt.Sprintf("%s, %s, as %s", in.Account.ID, in.Account.Region, in.Account.Caller))
}

// region is the option of the AWS CLI for the region of the trust anchor.
func (in *Input) region() string { return " --region " + in.Account.Region }
