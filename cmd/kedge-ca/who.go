package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/ca/issuance"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/cloudtrail"
	"kedge/internal/localca"
)

type whoOptions struct {
	caOptions
	text    string
	archive archiveFlag
}

func newWho(h host, run func(context.Context, *whoOptions) error) *cobra.Command {
	o := &whoOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "who <name or file>",
		Short: "Find the certificate and host behind a name in CloudTrail, or behind its events",
		Long: `Find the certificates and hosts behind a name, as CloudTrail, openssl or a person writes it:
a session name, source identity, ARN or principal id of an assumed role, a distinguished name
in any usual order, a serial in hex (with or without colons) or decimal, a SHA-256
fingerprint, a certificate file, a common name, host or subject alternative name. All that
are found are listed, each with what it was found by; what was archived comes last.

Or list the events of hosts in a file of CloudTrail, or in all files of a folder: as CloudTrail
delivers them, compressed or not, as "aws cloudtrail lookup-events" prints them, or one event a
line, as "kedge-emulator --cloudtrail" writes them. Each comes with the host and its certificate,
and what it was found by:

certificate: the one that signed the request of CreateSession. If the ledger does not have it, its
    state is "unknown".
session name: the serial number that IAM Roles Anywhere names a session by, with the source
    identity of the same host.
source identity: the common name, which stays along a chain of roles. The certificate is the one
    that the host had last at that time, unless it had ended more than 12 hours before: no session
    of IAM Roles Anywhere is longer.
session name alone: events of other accounts have no more; whoever assumes a role chooses it, and
    it proves nothing.
refused request: the certificate in a request of CreateSession that AWS refused. Certificates are
    public: it does not prove that its host sent the request.

A source identity proves as much as the trust policies of the roles: who may set one in another way
than by a certificate can set that of a host.`,
		Example: `  kedge-ca who CN=web-01
  kedge-ca who arn:aws:sts::111122223333:assumed-role/web/web-01
  kedge-ca who AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/30/`,
		Args: exactlyOne("give what is to be found: kedge-ca who NAME", "one name, in quotes if it has spaces"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.text = args[0]
			return run(cmd.Context(), o)
		},
	}
	o.addList(cmd)
	o.archive.add(cmd)
	return cmd
}

func runWho(ctx context.Context, s *store, o *whoOptions) error {
	if cloudtrail.Is(o.text) {
		return runTrail(ctx, s, o)
	}
	found, incomplete, err := s.Who(ctx, o.text, o.archive.dir)
	if is[*issuance.NoMatchError](err) && cloudtrail.IsFolder(o.text) {
		return runTrail(ctx, s, o)
	}
	if err != nil {
		return err
	}
	format := o.output.format()
	if err := certinfo.FoundListing().Write(o.Out, format, certinfo.AllFound(found, format, o.inputs.Now())); err != nil {
		return err
	}
	return incomplete
}

// maxDamaged is the number of damaged events that are named.
const maxDamaged = 10

// damagedError reports that not all events were read.
type damagedError struct {
	path  string
	count int
}

func (e *damagedError) Error() string {
	if e.count == 1 {
		return fmt.Sprintf("an event in %s was not read", e.path)
	}
	return fmt.Sprintf("%d events in %s were not read", e.count, e.path)
}

// runTrail lists the events of hosts. What cannot be read is named, and stops only itself.
func runTrail(ctx context.Context, s *store, o *whoOptions) error {
	var incomplete error
	damaged, others := 0, 0
	events := s.Trail(ctx, localca.TrailRequest{
		Path: o.text, Archive: o.archive.dir,
		Damaged: func(e *cloudtrail.DamagedError) {
			if damaged++; damaged <= maxDamaged {
				o.warn(e.Error())
			}
		},
		Incomplete: func(err error) { incomplete = err },
		Others:     func() { others++ },
	})
	format := o.output.format()
	listing := certinfo.TracedListing()
	listing.Empty = func() { o.warn("no event in " + o.text + " is of a host of this CA") }
	if err := listing.Write(o.Out, format, certinfo.AllTraced(events, format, o.inputs.Now())); err != nil {
		return err
	}
	switch {
	case others == 1:
		cli.Say(o.Err, name, "note", "1 more event leads to no host of this CA")
	case others > 1:
		cli.Say(o.Err, name, "note", fmt.Sprintf("%d more events lead to no host of this CA", others))
	}
	if damaged > 0 {
		return &damagedError{o.text, damaged}
	}
	return incomplete
}
