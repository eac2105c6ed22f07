package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
	"kedge/internal/awscli"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/report"
)

// awsFlags say where CRLs are imported in IAM Roles Anywhere. ARNs that are given once are stored
// in the CA's folder.
type awsFlags struct {
	cli    bool
	anchor string
	crl    string
}

func (f *awsFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.cli, "aws-cli", false, "write the command line of the AWS CLI that imports the list, or updates the one that is there")
	flags.StringVar(&f.anchor, "trust-anchor", "", "`ARN` of the trust anchor that the list is for; kept in aws.yaml of the CA's folder")
	flags.StringVar(&f.crl, "crl", "", "`ARN` of the list at IAM Roles Anywhere, which import-crl printed; kept in aws.yaml of the CA's folder")
	for _, other := range []string{"json", "stdout", "delta"} {
		cmd.MarkFlagsMutuallyExclusive("aws-cli", other)
	}
}

// check refuses invalid ARNs, and two that do not belong together.
func (f *awsFlags) check(cmd *cobra.Command) error {
	if f.anchor != "" {
		if _, err := cadir.ParseARN(f.anchor, cadir.TrustAnchorARN); err != nil {
			return cli.Usagef(cmd, "--trust-anchor: %w", err)
		}
	}
	if f.crl != "" {
		if _, err := cadir.ParseReference(f.crl, cadir.CRLARN); err != nil {
			return cli.Usagef(cmd, "--crl: %w", err)
		}
	}
	return nil
}

// unknownAnchorError reports that the trust anchor of a CRL is not known.
type unknownAnchorError struct {
	what    string
	command string // to which the ARN is to be given
}

func (e *unknownAnchorError) Error() string {
	return "the trust anchor of " + e.what + " is not known here"
}

// lists returns where the CRLs of authorities go, by the ARNs in the CA's folder and those of the
// flags, which it stores. It fails, before any CRL is made, if none of them could be imported.
func (f *awsFlags) lists(s *store, authorities []ledger.Authority) ([]awscli.CRL, error) {
	folder, first := s.flags.folder(), authorities[0]
	kept, err := folder.AWS()
	if err != nil {
		return nil, err
	}
	if f.crl != "" {
		if len(authorities) != 1 {
			return nil, errors.New("--crl is the ARN of one list; name its authority with --issuer")
		}
		kept.SetCRL(first.Name, f.crl)
	}
	if f.anchor != "" {
		owner := "" // the roots
		if len(authorities) == 1 && first.Parent != "" {
			owner = first.Name
		}
		kept.SetAnchor(owner, f.anchor)
	}
	var all []awscli.CRL
	for _, a := range authorities {
		list, err := awscli.FindCRL(kept, a.Name, a.Parent == "")
		if err != nil {
			return nil, err
		}
		all = append(all, list)
	}
	if f.anchor != "" || f.crl != "" {
		if err := folder.WriteAWS(kept); err != nil {
			return nil, err
		}
		s.host.say("kept the ARN in " + folder.AWSPath())
	}
	if f.cli && !slices.ContainsFunc(all, awscli.CRL.IsKnown) {
		return nil, &unknownAnchorError{fmt.Sprintf("%q", first.Name), "kedge-ca crl --aws-cli --issuer " + first.Name}
	}
	return all, nil
}

// finish writes the command lines with --aws-cli, and otherwise the next step, if it is known.
func (f *awsFlags) finish(h host, lists []awscli.CRL, made []*writtenCRL) error {
	var lines strings.Builder
	for i, m := range made {
		if m.Base != 0 {
			continue
		}
		if !lists[i].IsKnown() {
			if f.cli {
				h.warn(fmt.Sprintf("the list of %q is left out: IAM Roles Anywhere takes it for a trust anchor that holds the certificate of %q, and none is known here; with one: kedge-ca crl --aws-cli --issuer %s --trust-anchor ARN", m.Authority, m.Authority, m.Authority))
			}
			continue
		}
		line, err := lists[i].Command(m.File)
		if err != nil {
			return err
		}
		lines.WriteString(line + "\n")
		if !f.cli {
			cli.Say(h.Err, name, "next", line)
		}
		if !lists[i].IsImported() {
			cli.Say(h.Err, name, "next", fmt.Sprintf("then keep the ARN that it prints, for updates: kedge-ca crl --aws-cli --issuer %s --crl ARN", m.Authority))
		}
	}
	if !f.cli {
		return nil
	}
	return report.Write(h.Out, []byte(lines.String()))
}
