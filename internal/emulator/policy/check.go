package policy

import "strings"

// check refuses what is well-formed and still no policy. The order of the checks is that of field
// reports for identity policies, and ours for the others.
func check(kind Kind, doc *Document) error {
	// IAMG reference_policies_elements_version; that trust and session policies may have the older
	// version is what the policies of AWS's own examples have.
	if kind != Trust && kind != Session && doc.Version != version2012 {
		return malformed(textVersion, "/Version", "")
	}
	if err := checkDates(doc); err != nil {
		return err
	}
	if err := checkSids(doc); err != nil {
		return err
	}
	for _, s := range doc.Statements {
		checkElements := checkPermissions
		if kind == Trust {
			checkElements = checkTrust
		}
		if err := checkElements(s); err != nil {
			return err
		}
		if err := checkActions(kind, s.Action, s.where); err != nil {
			return err
		}
	}
	return nil
}

// checkDates: that a value which is no date is refused when the policy is put is a field report.
func checkDates(doc *Document) error {
	for _, s := range doc.Statements {
		for _, c := range s.Conditions {
			if !c.Operator.isDate() {
				continue
			}
			for _, value := range c.Values {
				if _, ok := parseDate(value); !ok {
					return malformed(textLegacy, s.where+"/Condition", "%s: %q is not a date of ISO 8601, and no number of seconds", c.Key, value)
				}
			}
		}
	}
	return nil
}

// checkSids: IAMG reference_policies_elements_sid.
func checkSids(doc *Document) error {
	seen := map[string]bool{}
	for _, s := range doc.Statements {
		where := s.where + "/Sid"
		if strings.ContainsFunc(s.Sid, notAlphanumeric) {
			return malformed(textSidAlphabet, where, "%q", s.Sid)
		}
		if s.Sid != "" && seen[s.Sid] {
			return malformed(textSid, where, "%q", s.Sid)
		}
		seen[s.Sid] = true
	}
	return nil
}

func notAlphanumeric(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

// checkPermissions: a statement of an identity or session policy, or of a boundary, has actions and
// resources and no principal (IAMG reference_policies_grammar).
func checkPermissions(s Statement) error {
	switch {
	case s.Principal.Present():
		return malformed(textPrincipal, s.where+"/"+s.Principal.Name, "")
	case len(s.Action.Values) == 0:
		return malformed(textNoActions, s.where, "")
	case len(s.Resource.Values) == 0:
		return malformed(textNoResources, s.where, "")
	}
	for _, resource := range s.Resource.Values {
		if err := checkResource(resource, s.where+"/"+s.Resource.Name); err != nil {
			return err
		}
	}
	return nil
}

// checkTrust: a statement of a trust policy has a principal, actions of STS, and no resource (IAMG
// reference_policies_grammar).
//
// NotPrincipal is taken in either effect. The guide calls it unsupported in trust policies by now,
// and with Allow everywhere (IAMG reference_policies_elements_notprincipal); older policies have it,
// and whether IAM refuses it is not documented.
func checkTrust(s Statement) error {
	switch {
	case s.Resource.Name == "Resource":
		return malformed(textResource, s.where+"/Resource", "")
	case s.Resource.Present():
		return malformed(textNotResource, s.where+"/NotResource", "")
	case !s.Principal.Present():
		return malformed(textNoPrincipal, s.where, "")
	case len(s.Principal.Values) == 0:
		return malformed(textEmptyPrincipal, s.where+"/"+s.Principal.Name, "")
	case len(s.Action.Values) == 0:
		return malformed(textNoAction, s.where, "")
	}
	for _, principal := range s.Principal.Values {
		if err := checkPrincipal(principal, s.where+"/"+s.Principal.Name); err != nil {
			return err
		}
	}
	return nil
}

// checkActions: an action is "*", or a service, a colon and a name (IAMG reference_policies_grammar,
// action_string). Wildcards in the service are refused; the texts are field reports.
func checkActions(kind Kind, e Element, where string) error {
	where += "/" + e.Name
	for _, action := range e.Values {
		service, name, ok := strings.Cut(action, ":")
		switch {
		case kind == Trust && !strings.EqualFold(service, "sts"):
			return malformed(textSTSOnly, where, "%q", action)
		case action == "*":
		case !ok:
			return malformed(textPrefix, where, "%q", action)
		case strings.Contains(name, ":"):
			return malformed(textOneColon, where, "%q", action)
		case service == "" || strings.ContainsFunc(service, notOfVendor):
			return malformed("Vendor "+service+" is not valid", where, "%q", action)
		}
	}
	return nil
}

func notOfVendor(r rune) bool { return notAlphanumeric(r) && r != '-' && r != '.' }
