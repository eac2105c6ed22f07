// Package policy decides by IAM's JSON policies: a document and a request become a decision with its
// reasons. It reads no file, asks no clock and writes no text: what it returns can be printed by
// others, and is the same for the same input.
//
// [Parse] reads a document as IAM does when a policy is put, and refuses what IAM refuses.
// [Document.Evaluate] compares each statement with a [Request]. [Policies.Authorize] joins identity
// policies, session policies and a permissions boundary; [CertificateSession] asks a role's trust
// policy as IAM Roles Anywhere does.
//
// Comments name where each rule comes from: "IAMG" and a page of the IAM User Guide, "G" and a page
// of the IAM Roles Anywhere User Guide, "STS" and an operation of its API reference, "field reports"
// for error texts that users published. "Ours" marks a choice that nobody documents.
//
// Nothing here keeps state. A Document is read-only once it is parsed, and safe for concurrent use.
// Time and memory are bounded: a document has at most [MaxDocument] bytes and the depth of its
// grammar, and a wildcard is compared in steps that are at most the product of the two lengths.
package policy
