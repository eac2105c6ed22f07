package main

import "github.com/spf13/cobra"

// newAWS returns the command with the subcommands about the AWS side.
func newAWS(h host) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "aws",
		Short: "Build what hosts need in an account at AWS, push lists, and check policies of roles",
		Example: `  kedge-ca aws policy web-01 web-02
  kedge-ca aws policy --ou batch`,
	}
	cmd.AddCommand(newAWSPlan(h.reader(), reading(runAWSPlan)))
	cmd.AddCommand(newAWSUp(h, changing(runAWSUp)))
	cmd.AddCommand(newAWSDown(h, reading(runAWSDown)))
	cmd.AddCommand(newAWSStatus(h.reader(), reading(runAWSStatus)), newAWSRotate(h, reading(runAWSRotate)))
	cmd.AddCommand(newAWSExport(h.reader(), reading(runAWSExport)))
	cmd.AddCommand(newAWSHosts(h.reader(), reading(runAWSHosts)))
	cmd.AddCommand(newAWSExplain(h.reader(), reading(runAWSExplain)))
	cmd.AddCommand(newAWSPolicy(h.reader(), reading(runAWSPolicy)))
	cmd.AddCommand(newAWSCRL(h))
	cmd.AddCommand(newAWSPermissions(h.reader(), reading(runAWSPermissions)))
	return cmd
}
