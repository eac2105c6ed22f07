// Package cloudtrail writes what AWS CloudTrail would record of the emulated services, one event a line, in the
// shape of its user guide.
//
// Comments name where each part comes from: "CT" and a page of the AWS CloudTrail User Guide, "IAMG" and a page of
// the IAM User Guide, "field reports" for events that users published. "Ours" marks what nobody documents. No
// secret is written: a session token, which CloudTrail has in encoded form, is hidden, too.
package cloudtrail
