// Package awsup makes an account at AWS what hosts of a CA need, and takes it back: package awsplan decides on the
// steps, and this package reads the account and does them.
//
// Each step is one call. Before something is created, it is looked for once more; if the answer of a call that creates
// is lost, it is looked for and not requested again. So a run that is interrupted anywhere leaves nothing that the next
// one does not find, by the tag that is set in the call that creates.
package awsup
