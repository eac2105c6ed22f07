// Package rolesanywhere is the control plane of IAM Roles Anywhere: trust anchors, profiles, CRLs and
// subjects, and the 30 operations on them. CreateSession, which is in package emulator, uses the same
// resources.
//
// A [Store] is safe for concurrent use. What its methods return does not change any more: an
// operation replaces a resource as a whole, in memory and in the state folder, or leaves it as it is.
//
// Comments name where each rule comes from, as in package emulator. "Model" is the service's model, as
// the AWS SDKs have it (API version 2018-05-10); "guide" is the User Guide.
package rolesanywhere
