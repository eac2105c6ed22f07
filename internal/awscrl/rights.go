package awscrl

import (
	"kedge/internal/awsplan"
	"kedge/internal/awsrights"
)

// PushRights are what Push needs.
func PushRights(s awsrights.Scope) []awsrights.Statement {
	return append(StateRights(s),
		awsrights.Statement{Sid: "ImportLists", Actions: []string{"rolesanywhere:ImportCrl"}, Resources: awsrights.Any(), Conditions: s.GivenTag(awsplan.KindCRL)},
		awsrights.Statement{Sid: "TagImportedLists", Actions: []string{"rolesanywhere:TagResource"}, Resources: s.Of("crl"), Conditions: s.GivenTag(awsplan.KindCRL)},
		awsrights.Statement{Sid: "ReplaceOwnLists", Actions: []string{"rolesanywhere:GetCrl", "rolesanywhere:UpdateCrl"}, Resources: s.Of("crl"), Conditions: s.OwnTag(awsplan.KindCRL)},
	)
}

// StateRights are what State and Take need.
func StateRights(s awsrights.Scope) []awsrights.Statement {
	return []awsrights.Statement{
		{Sid: "ReadLists", Actions: []string{"rolesanywhere:ListCrls"}, Resources: awsrights.Any()},
		{Sid: "ReadTagsOfLists", Actions: []string{"rolesanywhere:ListTagsForResource"}, Resources: s.Of("crl")},
	}
}
