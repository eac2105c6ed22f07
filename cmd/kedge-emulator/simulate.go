package main

import (
	"cmp"
	"time"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/emulator"
)

// simulateOptions are the flags of simulate.
type simulateOptions struct {
	policy, certificate        string
	trustAnchor, role, session string
	json                       bool
}

func newSimulate(s cli.Streams) *cobra.Command {
	o := &simulateOptions{}
	cmd := &cobra.Command{
		Use:   "simulate --policy <file> --certificate <file>",
		Short: "Ask a trust policy about a certificate, without a request",
		Long: `simulate prints what CreateSession asks a role's trust policy for a host's certificate: the tags, the
source identity, and for each of sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity whether it is allowed,
statement by statement and condition by condition. It asks no one, and needs no AWS account.

The tags are those of the default attribute mapping. The exit code is 3 if the policy does not allow the session.`,
		Example: `  kedge-emulator simulate --policy trust.json --certificate web-01.pem \
    --trust-anchor-arn arn:aws:rolesanywhere:eu-central-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000001`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runSimulate(cmd, o, s) },
	}
	f := cmd.Flags()
	f.StringVar(&o.policy, "policy", "", "JSON `file` with the trust policy")
	f.StringVar(&o.certificate, "certificate", "", "PEM or DER `file` with the certificate of the host")
	f.StringVar(&o.trustAnchor, "trust-anchor-arn", "", "`ARN` of the trust anchor, aws:SourceArn (default: the one that the emulator makes up)")
	f.StringVar(&o.role, "role-arn", "", "`ARN` of the role (default: the one that the emulator makes up)")
	f.StringVar(&o.session, "session-name", "", "`name` of the session (default: the certificate's serial number)")
	cli.AddJSON(f, &o.json)
	return cmd
}

func runSimulate(cmd *cobra.Command, o *simulateOptions, s cli.Streams) error {
	for _, v := range []struct {
		flag, value string
		check       func(string) error
	}{
		{"trust-anchor-arn", o.trustAnchor, emulator.CheckTrustAnchorARN},
		{"role-arn", o.role, emulator.CheckRoleARN},
		{"session-name", o.session, emulator.CheckSessionName},
	} {
		if !cmd.Flags().Changed(v.flag) {
			continue
		}
		if err := v.check(v.value); err != nil {
			return cli.Usagef(cmd, "--%s: %w", v.flag, err)
		}
	}
	if o.policy == "" || o.certificate == "" {
		return cli.Usagef(cmd, "simulate needs --policy and --certificate")
	}
	document, err := readFile("policy", o.policy)
	if err != nil {
		return err
	}
	certificate, err := readFile("certificate", o.certificate)
	if err != nil {
		return err
	}
	answer, err := emulator.Simulation{
		TrustPolicy: document, PolicyFile: o.policy, Certificate: certificate, CertificateFile: o.certificate,
		TrustAnchorARN: o.trustAnchor, RoleARN: o.role, SessionName: o.session, Now: time.Now(),
	}.Run()
	if err != nil {
		return err
	}
	write := answer.WriteText
	if o.json {
		write = answer.WriteJSON
	}
	return cmp.Or(write(s.Out), answer.Err())
}
