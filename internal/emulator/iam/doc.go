// Package iam emulates the part of AWS Identity and Access Management that manages roles, their policies,
// and users with access keys: a store of accounts, and the operations of the query API on it.
//
// [Store.Do] performs a call whose signature was verified by the caller of this package: it checks the
// parameters, asks the policies of the sender, and answers. What it refuses is an *[Error] with IAM's
// status, code and message. Nothing of a refused call is kept.
//
// Every parameter of an operation has a shape of the API model with its length, range and pattern (shape.go,
// operations.go): the tables are IAM's, and a test compares them with the model of an SDK.
//
// Comments name where each rule comes from: "API" and an operation or type of the IAM API reference, "IAMG"
// and a page of the IAM User Guide, "SAR" for the Service Authorization Reference of IAM, "field reports"
// for error texts that users published. "Ours" marks a choice that nobody documents.
//
// Decisions:
//   - The store is a snapshot that is never changed. A call that changes something works on a copy, which
//     replaces the snapshot once it is on the disk: readers need no lock, and a call that fails half-way
//     leaves nothing.
//   - A trust policy is stored with the unique ids of roles and users: no snapshot has one with the ARN of an entity
//     that is there (pin.go).
//   - Parameters are checked before the sender's rights. The order in AWS is not documented.
//   - Of AWS's own managed policies there are a few (awsmanaged.go). Others do not exist here.
//   - There are no groups and no instance profiles.
//
// A Store is safe for concurrent use; it needs no Close, and has no goroutine.
package iam
