// Package emulator emulates IAM Roles Anywhere, CreateSession and the control plane, the part of STS that
// accepts its credentials, and IAM's roles, users and policies, on loopback: for the quickstart, for tests,
// and for people without an AWS account. What the services have in common is in package wire, the control
// plane in package rolesanywhere, IAM in package iam.
//
// It is the second, independent implementation of the protocol. It is written from the
// AWS documentation and field reports alone, uses the standard library only, and never
// imports the packages that sign: a mistake in their canonical request is not repeated
// here. It promises to be at least as strict as the service is documented to be, and to
// log why a request was refused, with the canonical request it computed. Trust policies, and those of the
// sender of a call, are evaluated by package policy; the lists of a configured role are a trust policy, too.
//
// Comments name where each rule comes from: a page of the "guide" (the IAM Roles Anywhere
// User Guide), of the "IAM guide" (Signature Version 4), the "STS reference", a section of
// an RFC, or "field reports" (error texts that users published). "Ours" marks a choice
// where the service's behaviour is not documented.
//
// Decisions:
//   - One listener serves every region and account at once. A request counts as made in the
//     region its signature names, which must be one that has a trust anchor here.
//   - The signature is checked before the parameters, so one changed byte is always
//     "Invalid signature", as it is with the service.
//   - A source identity may have characters that STS does not accept there ([\w+=,.@-]), such as
//     a blank in a common name: what the service does is not documented, so it is passed on.
//   - Operations of IAM and of IAM Roles Anywhere are allowed by the policies of their sender alone. AssumeRole
//     is as well, but for roles and users of the configuration without policies: see [iam.Store.AssumePolicies].
//   - A state folder is for one process at a time: with two, neither would see the sessions that
//     the other issues after the start. LockState prevents that.
//   - The configuration owns what it has, in IAM and in IAM Roles Anywhere. What a call changes or deletes of an entry
//     stays so, in the state folder, until the entry changes: then the entity is as the entry has it. What has no entry
//     any more is gone at the next start, access keys included, with a line in the log if the state folder had it.
//     What calls have made stays. An id of a role or user is never used twice.
//   - A trust policy that is saved names roles and users by these ids, as IAM does: see package iam.
//   - What calls of the control plane change is on the disk before they are answered. Sessions do not wait for it: one
//     goroutine writes them, and a process that is killed may lose the last ones. See [Emulator.Flush].
//   - Of more than 50,000 sessions the oldest are dropped: see maxSessions.
//   - What goes wrong with AWS is there on request: [Fault] for single requests, [Conditions] for the whole run. Both are
//     off unless somebody asks for them.
//   - An Emulator is safe for concurrent use; it needs no Close, and is idle between requests.
package emulator
