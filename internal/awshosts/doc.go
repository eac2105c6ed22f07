// Package awshosts joins the subjects that IAM Roles Anywhere has in an account with the hosts of a ledger. A subject
// is made by the first session of a certificate, and is one for all certificates with the same distinguished name
// (IAM Roles Anywhere API Reference, "ListSubjects", "GetSubject").
package awshosts
