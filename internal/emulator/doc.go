// Package emulator is IAM Roles Anywhere's CreateSession and the part of STS that its
// credentials are shown to, on loopback: for the quickstart, for tests, and for people
// without an AWS account.
//
// It is the second, independent implementation of the protocol. It is written from the
// AWS documentation and field reports alone, uses the standard library only, and never
// imports the packages that sign: a mistake in a canonical request cannot agree with
// itself. It promises to be at least as strict as the service is documented to be, and to
// say in its log why a request was refused, with the canonical request it rebuilt. It does
// not promise anything about authorization: there are no policies, only lists.
//
// Comments name where each rule comes from: a page of the "guide" (the IAM Roles Anywhere
// User Guide), of the "IAM guide" (Signature Version 4), the "STS reference", a section of
// an RFC, or "field reports" (error texts that users published). "Ours" marks a choice
// nobody documents.
//
// Decisions:
//   - One listener serves every region and account at once. A request counts as made in the
//     region its signature names, which must be one that has a trust anchor here.
//   - The signature is checked before the parameters, so one changed byte is always
//     "Invalid signature", as it is with the service.
//   - A source identity may hold characters that STS does not take there ([\w+=,.@-]), such as
//     a blank in a common name: nobody documents what the service does then, so it is passed on.
//   - A state folder is for one process at a time: a second one would read what is there when
//     it starts, and neither see what the other gives out later. LockState keeps it out.
//   - Every member of an Emulator may be used by several goroutines; it lives until it is
//     dropped, and owns no goroutine.
package emulator
