package main

import "github.com/spf13/cobra"

// newAWSCRL returns the command with the subcommands about revocation lists at AWS.
func newAWSCRL(h host) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "crl",
		Short:   "Bring the lists of revoked certificates to AWS",
		Example: `  kedge-ca aws crl push`,
	}
	cmd.AddCommand(newAWSCRLPush(h, changing(runAWSCRLPush)))
	return cmd
}
