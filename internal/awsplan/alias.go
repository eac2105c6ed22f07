package awsplan

import (
	"fmt"
	"slices"
)

// Hosts can name a trust anchor and a profile by an alias, which is unique for its kind, account and region, and stays
// free for another one once its object is deleted (IAM Roles Anywhere User Guide, "Resource aliases"). Trust policies
// name the trust anchor itself.

// checkAlias refuses an alias that another object than the one at an index has.
func (p *planner) checkAlias(kind Kind, all []tagged, at int) error {
	for i, t := range all {
		if p.w.Alias != "" && t.alias == p.w.Alias && i != at {
			return &ConflictError{Reason: AliasTaken, Kind: kind, Name: t.alias, ARNs: []string{t.arn}}
		}
	}
	return nil
}

// alias plans the alias of an object that is there. Another one that it has stays: hosts may use it.
func (p *planner) alias(kind Kind, t tagged) {
	switch {
	case p.w.Alias == "", t.alias == p.w.Alias:
	case t.alias != "":
		p.note("%s, %s, has the alias %s, and not %s: it stays so, since hosts may use it", t.arn, t.name, t.alias, p.w.Alias)
	default:
		p.add(Step{
			Kind: kind, Name: t.name, ARN: t.arn, Text: fmt.Sprintf("give the %s %s the alias %s", kind, t.name, p.w.Alias),
			Change: SetAlias{Kind: kind, ARN: t.arn, Alias: p.w.Alias},
		})
	}
}

func aliasLines(alias string) []string {
	if alias == "" {
		return nil
	}
	return []string{"alias " + alias}
}

// Aliases returns the ARNs of the aliases of the trust anchors and profiles with these ARNs, by which hosts can name them.
func (f *Found) Aliases(arns ...string) (all []string) {
	prefix := "arn:" + f.Partition + ":rolesanywhere:" + f.Region + ":" + f.Account + ":alias/"
	for _, a := range f.Anchors {
		if a.Alias != "" && slices.Contains(arns, a.ARN) {
			all = append(all, prefix+"trust-anchor/"+a.Alias)
		}
	}
	for _, p := range f.Profiles {
		if p.Alias != "" && slices.Contains(arns, p.ARN) {
			all = append(all, prefix+"profile/"+p.Alias)
		}
	}
	return all
}
