// Package awsexplain finds out why a host gets no credentials from IAM Roles Anywhere, from what was read in the
// ledger of its CA and in the account at AWS, and perhaps from the report of kedge doctor on the host.
//
// Explain is a pure function: it reads nothing, calls nobody, and changes nothing. It makes the checks in the order in
// which they depend on one another, each with what was seen and what to do. Trust policies are evaluated by package
// awsadmin. Comments name where rules come from: "G" and a page of the IAM Roles Anywhere User Guide.
package awsexplain
