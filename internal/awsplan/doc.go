// Package awsplan compares what hosts of a CA need in an AWS account with what is there, and returns the steps from
// one to the other.
//
//	plan, err := awsplan.New(wanted, found)
//
// Objects are known by a tag that is set in the call that creates them: it holds the hash of a key of the CA, and the
// name of the object. What has no such tag is not the CA's, whatever its name is: it is never adopted, changed or
// deleted. New is a function of its arguments; it reads nothing and calls nobody. Once each step is done and the
// result is in Found, New returns a plan without steps.
package awsplan
