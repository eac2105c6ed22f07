package hostadvice

import (
	"net/http"
	"slices"
	"strings"

	"kedge/internal/advice"
	"kedge/internal/role"
	"kedge/signer/session"
)

// refused is about what the services say, and about too many requests.
func refused() advice.Table {
	first := advice.Table{
		{Fits: answer(func(e *session.APIError) bool { return strings.EqualFold(e.Message, "Invalid signature") }), Hint: func(err error) string { return requestOf(err).WrongRegion() }},
		{Fits: answer(func(e *session.APIError) bool { return e.Skew != 0 && strings.Contains(e.Message, "ignature") }), Hint: func(err error) string {
			return role.DescribeSkew(as[*session.APIError](err).Skew) + ", which accepts 300: set the clock"
		}},
	}
	throttled := advice.If(func(err error) bool { return is[*session.APIError](err) && as[*session.APIError](err).Throttled() },
		advice.When(isAssumption, "STS has too many requests from this account: try again later, and keep credentials until they expire"),
		advice.When(is[*session.APIError], "a region takes about 10 sessions a second from an account: try again later, and keep credentials until they expire"),
	)
	isCreation := func(err error) bool { return !isAssumption(err) }
	path := advice.If(answer(anyRefusal), advice.About(untrusted))
	return slices.Concat(first, said(isAssumption, assumption()), path, said(isCreation, creation()), throttled, others())
}

// others is about refusals of which the text is not known.
func others() advice.Table {
	status := func(status int) func(error) bool {
		return answer(func(e *session.APIError) bool { return e.Status == status })
	}
	return append(advice.If(answer(anyRefusal), advice.Row{Fits: isAssumption, Hint: filled("check --assume-role-arn {assumed} and what goes with it")}),
		advice.When(status(http.StatusForbidden), "check that the trust anchor and the profile are enabled, that the certificate is in date and has at most 5 intermediates, and that the role's trust policy lets rolesanywhere.amazonaws.com assume it"+SeeDoctor),
		advice.When(status(http.StatusNotFound), "check the three ARNs and the region, and --endpoint if it is given: the service knows no such resource there"),
		advice.When(answer(anyRefusal), "check the three ARNs, --session-duration and --role-session-name"+SeeDoctor),
	)
}

// creation is about the refusals of IAM Roles Anywhere. The texts are those of the table "Errors seen" in the
// field; the service may change them, so each is searched for by its core.
func creation() []phrase {
	const denied = "AccessDenied"
	return []phrase{
		{denied, "invalid signature", "check this host's clock, and that nothing between here and the service changes the request"},
		{denied, "untrusted signing certificate", "the trust anchor's CA did not issue this certificate, or an intermediate is missing: give it with --intermediates, and check that --trust-anchor-arn names the anchor of this CA"},
		{denied, "insufficient certificate", "the certificate must be a leaf with the key usage digitalSignature, CA false and a non-empty subject: have it issued again"},
		{denied, "certificate revoked", "the certificate is on a revocation list of the trust anchor: get a new key and certificate"},
		{denied, "specified trust anchor wasn't found", "check --trust-anchor-arn {anchor}: its id, account and region; the anchor may be disabled, deleted or in another region"},
		{denied, "invalid or empty profile", "check --profile-arn {profile}: it may be disabled, deleted or in another region than the trust anchor"},
		{denied, "isn't one of those listed in the profile", "add the role {role} to the profile {profile}, or correct --role-arn or --profile-arn"},
		{denied, "not authorized to set rolesessionname", "leave --role-session-name out, or set acceptRoleSessionName on the profile"},
		{denied, "exceeds the maxsessionduration", "lower --session-duration, or raise the role's maximum session duration"},
		{denied, "unable to assume role", "the role's trust policy must allow rolesanywhere.amazonaws.com sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity, and its conditions must fit this trust anchor (aws:SourceArn) and certificate (aws:PrincipalTag)"},
		{"", "mapped into session tags", "a name in the certificate has a character that session tags cannot have, such as & or a parenthesis: have it issued without"},
		{"Validation", "basic constraints", "the trust anchor's certificate must be a CA: basicConstraints CA true, keyUsage keyCertSign"},
		{"Validation", "", "the message names the field: check the three ARNs, --session-duration (900 to 43200) and --role-session-name"},
		{"ResourceNotFound", "", "check the three ARNs and the region: the trust anchor or the profile may be deleted or in another region"},
	}
}

// assumption is about the refusals of STS for a role that was to be assumed with the session of another. The
// texts are those of STS; each is searched for by its core.
func assumption() []phrase {
	const denied = "AccessDenied"
	return []phrase{
		{denied, "sts:tagsession", "add sts:TagSession to the actions of the trust policy of {assumed}: tags are passed with --tag or --transitive-tag, or by a session before it"},
		{denied, "sts:setsourceidentity", "add sts:SetSourceIdentity to the actions of the trust policy of {assumed}: IAM Roles Anywhere sets a source identity, and every session made with that one keeps it"},
		{denied, "sts:assumerole", "the trust policy of {assumed} must allow the role before it sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity, and its conditions must hold, such as an external id (--external-id); that role needs a policy that allows sts:AssumeRole on {assumed}"},
		{"", "role chaining", "AWS gives a session that another role's session asks for one hour at most: leave --assume-role-duration out"},
		{"", "maxsessionduration", "lower --assume-role-duration, or raise the maximum session duration of {assumed}"},
		{"MalformedPolicyDocument", "", "correct the file that --policy names: a policy in JSON with Version and Statement"},
		{"PackedPolicyTooLarge", "", "make --policy, --policy-arn and --tag smaller: packed together they are limited, and an inherited tag counts"},
		{"", "conflicts with a transitive tag", "leave that --tag out: a session before it has set it as a transitive one, which cannot be changed"},
		{"RegionDisabled", "", "activate STS in this region for the account, or choose another with --sts-endpoint"},
		{"ExpiredToken", "", "check this host's clock and try again"},
	}
}

// phrase is a part of a refusal: how its code begins, and what its message has in it, in small letters.
type phrase struct{ code, message, hint string }

// said are the rows for phrases, where a refusal fits something else as well.
func said(fits func(error) bool, phrases []phrase) advice.Table {
	var rows advice.Table
	for _, p := range phrases {
		rows = append(rows, advice.Row{Hint: filled(p.hint), Fits: answer(func(e *session.APIError) bool {
			return strings.HasPrefix(e.Code, p.code) && strings.Contains(strings.ToLower(e.Message), p.message)
		})})
	}
	return advice.If(fits, rows...)
}

// filled puts what was asked for into a hint: {anchor}, {profile}, {role}, and {assumed} for the role of a
// chain.
func filled(hint string) func(error) string {
	return func(err error) string {
		r := requestOf(err)
		return strings.NewReplacer("{anchor}", r.TrustAnchor, "{profile}", r.Profile, "{role}", r.Role, "{assumed}", as[*session.APIError](err).RoleARN).Replace(hint)
	}
}

// answer fits refusals that are such.
func answer(such func(*session.APIError) bool) func(error) bool {
	return func(err error) bool {
		return is[*session.APIError](err) && isRefusal(as[*session.APIError](err)) && such(as[*session.APIError](err))
	}
}

func anyRefusal(*session.APIError) bool { return true }

// isAssumption reports whether STS answered.
func isAssumption(err error) bool {
	return is[*session.APIError](err) && as[*session.APIError](err).RoleARN != ""
}

func requestOf(err error) *role.RequestError {
	if is[*role.RequestError](err) {
		return as[*role.RequestError](err)
	}
	return &role.RequestError{}
}
