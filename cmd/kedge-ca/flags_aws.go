package main

import (
	"github.com/spf13/cobra"

	"kedge/internal/awsaccount"
)

// addAWS adds the flags of commands that make requests to an AWS account.
func addAWS(cmd *cobra.Command, c *awsaccount.Config) {
	flags := cmd.Flags()
	flags.StringVar(&c.Profile, "aws-profile", "", "`NAME` of the profile in ~/.aws/config with the credentials; as the AWS SDKs choose when not given")
	flags.StringVar(&c.EndpointURL, "endpoint-url", "", "`URL` in the place of AWS's endpoints, such as that of kedge-emulator")
}
