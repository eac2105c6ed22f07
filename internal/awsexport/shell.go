package awsexport

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kedge/internal/awscli"
	"kedge/internal/awsplan"
)

const shellHead = `#!/bin/sh
# What hosts of a kedge CA need in an account at AWS: the trust anchor, the roles and the profile.
# Written by "kedge-ca aws export --cli", for the AWS CLI.
#
# Run it once, with the credentials of an administrator. The region is that of the AWS CLI: set AWS_REGION, and for
# version 1 AWS_DEFAULT_REGION. A second run makes nothing twice: the script ends before it makes anything if the trust
# anchor or the profile of this CA is there, by its tag kedge-ca, or a role of the name of one of its roles.
#
# When it has ended, or was interrupted, run "kedge-ca aws up": it finds what is there by its tags, makes what is
# missing, tries each role, and keeps the ARNs. Then "kedge-ca aws crl push" brings the lists of revoked certificates.
set -eu
export AWS_PAGER=

fail() {
	echo "error: $1; nothing was made: run kedge-ca aws up, which goes on from what is there" >&2
	exit 1
}
`

// roleIsFree is the body of a loop that has the script end unless there is no role. Another error than that of a role that
// is missing, such as that of a right, is no answer. The AWS CLI has the code of an error in brackets, which no name of a
// role can have.
const roleIsFree = `	if answer=$(aws iam get-role --role-name="$role" 2>&1); then fail "there is a role $role already"; fi
	case $answer in
	*"(NoSuchEntity)"*) ;;
	*)
		printf '%s\n' "$answer" >&2
		echo "error: the AWS CLI does not answer whether there is a role $role; nothing was made" >&2
		exit 1
		;;
	esac
`

// Shell returns a script for a POSIX shell that builds what is wanted by the AWS CLI, and writes the ARNs to standard
// output. The error is one of the trust policy of a role.
func Shell(w *awsplan.Wanted) (string, error) {
	s := &shell{w: w}
	s.WriteString(shellHead)
	for _, write := range []func() error{s.free, s.anchor, s.roles, s.profile} {
		s.WriteString("\n")
		if err := write(); err != nil {
			return "", err
		}
	}
	return s.String(), nil
}

// shell is a script that is being written.
type shell struct {
	strings.Builder
	w *awsplan.Wanted
}

// line writes a line of words, which are quoted as far as they need it.
func (s *shell) line(words ...string) {
	s.WriteString(strings.Join(words, " ") + "\n")
}

// option returns an option with its value in one word: a value may begin with a dash.
func option(name, value string) string { return "--" + name + "=" + awscli.Quote(value) }

// withAnchor returns an option whose value has the ARN of the trust anchor, from the shell's variable.
func withAnchor(name, value string) string {
	var parts []string
	for part := range strings.SplitSeq(value, anyAnchor) {
		parts = append(parts, awscli.Quote(part))
	}
	return "--" + name + "=" + strings.Join(parts, `"$anchor"`)
}

// answer returns options that have the AWS CLI print one member of its answer.
func answer(member string) string { return "--query " + member + " --output text" }

// free has the script end if something is there already.
func (s *shell) free() error {
	if err := s.untagged("list-trust-anchors", "trustAnchors", "trustAnchorArn", awsplan.KindAnchor, s.w.Anchor.Name); err != nil {
		return err
	}
	if err := s.untagged("list-profiles", "profiles", "profileArn", awsplan.KindProfile, s.w.Profile.Name); err != nil {
		return err
	}
	if len(s.w.Roles) == 0 {
		return nil
	}
	names := make([]string, len(s.w.Roles))
	for i := range s.w.Roles {
		names[i] = awscli.Quote(s.w.Roles[i].Name)
	}
	s.line("for role in", strings.Join(names, " ")+"; do")
	s.WriteString(roleIsFree)
	s.line("done")
	return nil
}

// untagged has the script end if an object of a name has the tag of this CA. Names of trust anchors and profiles are
// not unique: one that is not of this CA stays, as it does for aws up.
func (s *shell) untagged(list, members, arn string, kind awsplan.Kind, name string) error {
	literal, err := compact(name)
	if err != nil {
		return err
	}
	query := members + "[?name==`" + strings.ReplaceAll(literal, "`", "\\`") + "`]." + arn // JMESPath, literal expressions
	tags := make([]string, len(s.w.Owners))
	for i, owner := range s.w.Owners {
		tags[i] = awscli.Quote(owner.Tag(kind, name))
	}
	s.line("found=$(aws rolesanywhere", list, option("query", query), "--output text)")
	s.line("for arn in $found; do")
	s.line("\t"+"tag=$(aws rolesanywhere list-tags-for-resource", `--resource-arn="$arn"`, option("query", "tags[?key=='"+awsplan.TagKey+"'].value"), "--output text)")
	s.line("\t" + "case $tag in")
	s.line("\t"+strings.Join(tags, " | ")+") fail", awscli.Quote("the "+string(kind)+" "+name+" of this CA is there already, ")+`"$arn" ;;`)
	s.line("\t" + `*) echo "note: $arn has the name "` + awscli.Quote(name) + `" as well, and is not of this CA: it stays as it is" >&2 ;;`)
	s.line("\t" + "esac")
	s.line("done")
	return nil
}

func (s *shell) anchor() error {
	source, err := compact(map[string]any{"sourceType": sourceType, "sourceData": map[string]string{"x509CertificateData": pemOf(s.w.Anchor.Certificates)}})
	if err != nil {
		return err
	}
	notifications, err := notificationJSON(s.w.Anchor.Notifications)
	if err != nil {
		return err
	}
	tags, err := jsonTags("key", "value", s.w.TagsOf(awsplan.KindAnchor, s.w.Anchor.Name))
	if err != nil {
		return err
	}
	s.line(`# The AWS CLI of Debian 12 has no notifications.`)
	s.line(`case $(aws rolesanywhere create-trust-anchor --generate-cli-skeleton input) in`)
	s.line(`*notificationSettings*) set --`, option("notification-settings", notifications), ";;")
	s.line(`*)`)
	s.line("\t" + `set --`)
	s.line("\t" + `echo "note: this version of the AWS CLI sets no notifications: run kedge-ca aws up afterwards" >&2`)
	s.line("\t;;")
	s.line(`esac`)
	s.line(`anchor=$(aws rolesanywhere create-trust-anchor --enabled`, option("name", s.w.Anchor.Name), option("source", source), option("tags", tags), `"$@"`, answer("trustAnchor.trustAnchorArn")+")")
	s.line(`echo "trust anchor: $anchor"`)
	return nil
}

func (s *shell) roles() error {
	s.line("set --")
	for i := range s.w.Roles {
		if err := s.role(&s.w.Roles[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *shell) role(r *awsplan.Role) error {
	trust, err := trustOf(r)
	if err != nil {
		return err
	}
	tags, err := jsonTags("Key", "Value", s.w.TagsOf(awsplan.KindRole, r.Name))
	if err != nil {
		return err
	}
	words := []string{
		"role=$(aws iam create-role", option("role-name", r.Name), option("path", r.Path), withAnchor("assume-role-policy-document", trust),
		option("description", r.Description()), option("max-session-duration", fmt.Sprint(seconds(r.MaxSession))), option("tags", tags),
	}
	if r.Boundary != "" {
		words = append(words, option("permissions-boundary", r.Boundary))
	}
	s.line(append(words, answer("Role.Arn")+")")...)
	for _, arn := range r.Attached {
		s.line("aws iam attach-role-policy", option("role-name", r.Name), option("policy-arn", arn))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Inline)) {
		s.line("aws iam put-role-policy", option("role-name", r.Name), option("policy-name", name), option("policy-document", r.Inline[name]))
	}
	s.line(`echo "role: $role"`)
	s.line(`set -- "$@" "$role"`)
	return nil
}

func (s *shell) profile() error {
	tags, err := jsonTags("key", "value", s.w.TagsOf(awsplan.KindProfile, s.w.Profile.Name))
	if err != nil {
		return err
	}
	roles := `"$@"`
	if len(s.w.Roles) == 0 {
		roles = awscli.Quote("[]")
	}
	s.line(
		"profile=$(aws rolesanywhere create-profile --enabled", option("name", s.w.Profile.Name), option("duration-seconds", fmt.Sprint(seconds(s.w.Profile.Duration))),
		"--no-require-instance-properties", option("tags", tags), "--role-arns", roles, answer("profile.profileArn")+")",
	)
	s.line(`echo "profile: $profile"`)
	return nil
}

// jsonTags returns tags as the AWS CLI takes them: an alphabet without commas and quotes is that of some services only.
func jsonTags(key, value string, tags map[string]string) (string, error) {
	return compact(tagMembers(key, value, tags))
}
