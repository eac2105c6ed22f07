package awshosts

import "kedge/internal/awsrights"

// Rights are what List needs, with details too.
func Rights(s awsrights.Scope) []awsrights.Statement {
	return []awsrights.Statement{
		{Sid: "ListSubjects", Actions: []string{"rolesanywhere:ListSubjects"}, Resources: awsrights.Any()},
		{Sid: "ReadSubjects", Actions: []string{"rolesanywhere:GetSubject"}, Resources: s.Of("subject")},
	}
}
