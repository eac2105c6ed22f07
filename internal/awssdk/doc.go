// Package awssdk configures the AWS SDK for Go for the programs of an operator: as all SDKs and the AWS CLI do
// (AWS SDKs and Tools Reference Guide), but with deadlines, with errors that name what to change, and never in the
// clear across a network.
package awssdk
