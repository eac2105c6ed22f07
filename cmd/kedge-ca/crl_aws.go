package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/report"
)

// awsFlags say where lists go at IAM Roles Anywhere. ARNs that are given once are kept in the CA's
// folder.
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

// check refuses what is no ARN, and two that do not belong together.
func (f *awsFlags) check(cmd *cobra.Command) error {
	if f.anchor != "" {
		if _, err := cadir.ParseARN(f.anchor, cadir.TrustAnchorARN); err != nil {
			return cli.Usagef(cmd, "--trust-anchor: %w", err)
		}
	}
	if f.crl != "" {
		if _, err := cadir.ParseARN(f.crl, cadir.CRLARN); err != nil {
			return cli.Usagef(cmd, "--crl: %w", err)
		}
	}
	return nil
}

// unknownAnchorError says that it is not known to which trust anchor something belongs.
type unknownAnchorError struct {
	what    string
	command string // that is to be given the ARN
}

func (e *unknownAnchorError) Error() string {
	return "the trust anchor of " + e.what + " is not known here"
}

// resolve returns the ARNs of the CA's folder with those of the flags, which it keeps. Before any
// list is made it fails when none of them could be imported.
func (f *awsFlags) resolve(s *store, authorities []ledger.Authority) (*cadir.AWS, error) {
	known, err := s.flags.folder().AWS()
	if err != nil {
		return nil, err
	}
	if f.crl != "" && len(authorities) != 1 {
		return nil, errors.New("--crl is the ARN of one list; name its authority with --issuer")
	}
	kept := *known
	if f.anchor != "" {
		kept.SetAnchor(anchorOwner(authorities), f.anchor)
	}
	if f.crl != "" {
		kept.SetCRL(authorities[0].Name, f.crl)
	}
	for _, a := range authorities {
		if err := checkSameAccount(&kept, a); err != nil {
			return nil, err
		}
	}
	if f.anchor != "" || f.crl != "" {
		if err := s.flags.folder().WriteAWS(&kept); err != nil {
			return nil, err
		}
		s.host.say("kept the ARN in " + s.flags.folder().AWSPath())
	}
	if !f.cli {
		return &kept, nil
	}
	for _, a := range authorities {
		if isKnown(&kept, a) {
			return &kept, nil
		}
	}
	return nil, &unknownAnchorError{fmt.Sprintf("%q", authorities[0].Name), "kedge-ca crl --aws-cli --issuer " + authorities[0].Name}
}

// anchorOwner is whose trust anchor a flag means: that of the roots, or of the one authority whose
// list is made.
func anchorOwner(authorities []ledger.Authority) string {
	if len(authorities) == 1 && authorities[0].Parent != "" {
		return authorities[0].Name
	}
	return ""
}

// anchorOf is the ARN of the trust anchor that holds the certificate of an authority: IAM Roles
// Anywhere takes its list for that one only. Empty when it is not known.
func anchorOf(known *cadir.AWS, a ledger.Authority) string {
	if own := known.Anchor(a.Name); own != "" || a.Parent != "" {
		return own
	}
	return known.Anchor("")
}

func isKnown(known *cadir.AWS, a ledger.Authority) bool {
	return known.CRLs[a.Name] != "" || anchorOf(known, a) != ""
}

// checkSameAccount refuses the ARN of a list that cannot be one of the trust anchor.
func checkSameAccount(known *cadir.AWS, a ledger.Authority) error {
	anchor, err := cadir.ParseARN(anchorOf(known, a), cadir.TrustAnchorARN)
	list, err2 := cadir.ParseARN(known.CRLs[a.Name], cadir.CRLARN)
	if err != nil || err2 != nil { // one of them is not known
		return nil
	}
	if anchor.Account != list.Account || anchor.Region != list.Region {
		return fmt.Errorf("the list of %q and its trust anchor are in different accounts or regions: %s and %s", a.Name, list.Text, anchor.Text)
	}
	return nil
}

// crlCommandLine is the command line of the AWS CLI, for a POSIX shell, that imports the list in a
// file the first time and updates it later. It is empty when the trust anchor is not known.
func crlCommandLine(known *cadir.AWS, a ledger.Authority, file string) (string, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	if strings.Contains(path, "$") { // os.path.expandvars, with no way to quote it
		return "", fmt.Errorf("the AWS CLI replaces $NAME in the names of files, and there is a $ in %s", path)
	}
	words := []string{"aws", "rolesanywhere"}
	data := []string{"--crl-data", shellQuote("fileb://" + path)}
	if list, err := cadir.ParseARN(known.CRLs[a.Name], cadir.CRLARN); err == nil {
		words = append(words, "update-crl", "--crl-id", shellQuote(list.ID), "--region", shellQuote(list.Region))
		return strings.Join(append(words, data...), " "), nil
	}
	anchor, err := cadir.ParseARN(anchorOf(known, a), cadir.TrustAnchorARN)
	if err != nil {
		return "", nil // not known
	}
	words = append(words, "import-crl", "--enabled", "--name", shellQuote(resourceName(a.Name)), "--trust-anchor-arn", shellQuote(anchor.Text),
		"--region", shellQuote(anchor.Region))
	return strings.Join(append(append(words, data...), "--query", "crl.crlArn", "--output", "text"), " "), nil
}

// resourceName makes a name that IAM Roles Anywhere takes: letters, digits, spaces, hyphens and
// underscores.
func resourceName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" -_", r) {
			return r
		}
		return '-'
	}, name)
}

// finish writes the command lines with --aws-cli, and else tells what comes next where it is known.
func (f *awsFlags) finish(h host, known *cadir.AWS, authorities []ledger.Authority, lists []*writtenCRL) error {
	var lines []string
	for i, list := range lists {
		a := authorities[i]
		if list.Base != 0 {
			continue
		}
		line, err := crlCommandLine(known, a, list.File)
		switch {
		case err != nil && !f.cli && !isKnown(known, a):
			continue
		case err != nil:
			return err
		case line == "" && f.cli:
			h.warn(fmt.Sprintf("the list of %q is left out: IAM Roles Anywhere takes it for a trust anchor that holds the certificate of %q, and none is known here; with one: kedge-ca crl --aws-cli --issuer %s --trust-anchor ARN", a.Name, a.Name, a.Name))
			continue
		case line == "":
			continue
		}
		lines = append(lines, line+"\n")
		if !f.cli {
			cli.Say(h.Err, name, "next", line)
		}
		if known.CRLs[a.Name] == "" {
			cli.Say(h.Err, name, "next", fmt.Sprintf("then keep the ARN that it prints, for updates: kedge-ca crl --aws-cli --issuer %s --crl ARN", a.Name))
		}
	}
	if !f.cli {
		return nil
	}
	return report.Write(h.Out, []byte(strings.Join(lines, "")))
}
