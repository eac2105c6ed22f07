package policy

import (
	"fmt"
	"slices"
	"strings"
)

// checkResource: a resource is "*" or an ARN (IAMG reference_policies_elements_resource). The texts,
// and which of them comes first, are field reports.
func checkResource(resource, where string) error {
	if resource == "*" {
		return nil
	}
	parts := strings.SplitN(resource, ":", 6)
	if len(parts) < 2 {
		return malformed(fmt.Sprintf(`Resource %s must be in ARN format or "*".`, resource), where, "")
	}
	if parts[0] != "arn" || !isPartition(parts[1]) {
		return malformed(fmt.Sprintf("Partition %q is not valid for resource %q.", parts[1], completed(parts[1:])), where, "")
	}
	if len(parts) < 3 || strings.ContainsAny(parts[2], "*?") && parts[2] != "*" {
		return malformed(textVendor, where, "%q", resource)
	}
	if parts[2] == "" || len(parts) < 6 && strings.Contains(resource, "::") {
		return malformed(textLegacy, where, "%q has not the six parts of an ARN", resource)
	}
	if len(parts) == 6 && parts[2] == "iam" {
		return checkIAMResource(resource, parts, where)
	}
	return nil
}

// isPartition accepts the partitions of AWS and, which is ours, wildcards.
func isPartition(s string) bool {
	return s == "aws" || strings.HasPrefix(s, "aws-") || strings.ContainsAny(s, "*?")
}

// completed returns an ARN as IAM's text shows it, with "*" for parts that are missing.
func completed(parts []string) string {
	for len(parts) < 5 {
		parts = append(slices.Clone(parts), "*")
	}
	return "arn:" + strings.Join(parts, ":")
}

// checkIAMResource: what has a variable in it is taken (ours).
func checkIAMResource(resource string, parts []string, where string) error {
	if strings.Contains(resource, "${") {
		return nil
	}
	if parts[3] != "" && parts[3] != "*" {
		return malformed(fmt.Sprintf("IAM resource %s cannot contain region information.", resource), where, "")
	}
	paths := []string{
		"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/",
		"sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/",
	}
	allowed := func(path string) bool { return strings.HasPrefix(parts[5], path) }
	if strings.ContainsAny(parts[5], "*?") || parts[5] == "root" || slices.ContainsFunc(paths, allowed) {
		return nil
	}
	return malformed(`IAM resource path must either be "*" or start with `+strings.Join(paths, ", ")+".", where, "%q", resource)
}

// checkPrincipal: IAMG reference_policies_elements_principal. A wildcard stands for everyone, and for
// no part of a name. Whether the principal exists is for the caller to find out.
func checkPrincipal(principal, where string) error {
	kind, name, _ := strings.Cut(principal, ":")
	valid, why := false, ""
	switch kind {
	case "*":
		valid = true
	case "AWS":
		valid = isAccount(name) || isUniqueID(name) || isPrincipalARN(name)
	case "Service":
		kind = "SERVICE" // as IAM's text spells it
		valid, why = isService(name), "a service has a name such as "+RolesAnywhere
	case "Federated":
		if !isDomain(name) && !strings.HasPrefix(name, "arn:") {
			return malformed(textFederated, where, "%q", name)
		}
		valid = true
	}
	if !valid {
		return malformed(fmt.Sprintf("Invalid principal in policy: %q:%q", kind, name), where, "%s", why)
	}
	return nil
}

// isService reports whether s may be the name of a service. IAM refuses names that it does not know, and its list is not
// published (field reports: hashicorp/terraform#35086, aws-cdk-examples#801). That a name below a domain of AWS is taken, and one
// that looks like that of Roles Anywhere only if it is that, is ours.
func isService(s string) bool {
	isBelow := func(domain string) bool { return strings.HasSuffix(s, domain) }
	if !isDomain(s) || !slices.ContainsFunc([]string{".amazonaws.com", ".amazonaws.com.cn", ".amazon.com", ".aws.internal"}, isBelow) {
		return false
	}
	lower := strings.ToLower(s)
	return s == RolesAnywhere || !strings.Contains(lower, "roles") && !strings.Contains(lower, "anywhere")
}

func isAccount(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }

// isUniqueID: IAM shows the id of a user or role that was deleted (IAMG reference_identifiers).
func isUniqueID(s string) bool {
	return len(s) >= 16 && (strings.HasPrefix(s, "AIDA") || strings.HasPrefix(s, "AROA")) && !strings.ContainsFunc(s, notAlphanumeric)
}

func isPrincipalARN(s string) bool {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[3] != "" || !isAccount(parts[4]) || strings.ContainsAny(s, "*?") {
		return false
	}
	kind, name, _ := strings.Cut(parts[5], "/")
	switch parts[2] {
	case "iam":
		return parts[5] == "root" || name != "" && (kind == "user" || kind == "role")
	case "sts":
		return name != "" && (kind == "assumed-role" || kind == "federated-user")
	}
	return false
}

// isDomain reports whether s looks like a domain, such as rolesanywhere.amazonaws.com.
func isDomain(s string) bool {
	return strings.Contains(s, ".") && !strings.ContainsFunc(s, notOfVendor) && !strings.HasPrefix(s, ".") && !strings.HasSuffix(s, ".")
}
