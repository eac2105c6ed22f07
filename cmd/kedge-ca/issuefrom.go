package main

import (
	"cmp"
	"context"
	"fmt"
	"iter"

	"kedge/ca"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/hostcert"
	"kedge/internal/hostlist"
	"kedge/internal/report"
	"kedge/internal/safefile"
)

// runIssueFrom issues for each line of a list that has no certificate yet.
func runIssueFrom(ctx context.Context, o *issueOptions) (err error) {
	rows, err := o.readHosts(o.from)
	if err != nil {
		return err
	}
	if err := o.form.readPassword(o.host, "the PKCS#12 files"); err != nil {
		return err
	}
	s, err := openStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	i, err := s.hostIssuer(ctx, o.leaf.issuer, &o.form)
	if err != nil {
		return err
	}
	list, err := i.List(rows, hostcert.ListOptions{
		Name: o.from, Out: o.out, Request: o.rowRequest, NewKey: o.keys.generate, Expiry: s.Expiry(), Now: o.inputs.Now(),
		Profile: func(name string) (*ca.Profile, error) { return s.Settings.Profile(cmp.Or(name, o.leaf.profile)) },
	})
	if err != nil {
		return err
	}
	ctx, stop := cli.UntilSignal(ctx) // certificates in progress are finished
	defer stop()
	progress := cli.NewProgress(o.Err, o.inputs.Now, list.Len())
	err = list.Run(ctx, o.workers, func() { progress.Add(1) })
	progress.End()
	if err != nil {
		return err
	}
	return o.reportList(list)
}

// readHosts reads the list that --from names.
func (h host) readHosts(from string) ([]hostlist.Row, error) {
	if from == "-" {
		return hostlist.Parse("standard input", h.inputs.Stdin)
	}
	file, err := safefile.OpenInput(from)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return hostlist.Parse(from, file)
}

func (o *issueOptions) rowRequest(row hostlist.Row) ca.Request {
	r := o.leaf.request(row.Name, row.Names)
	r.Host = row.Host
	if row.Lifetime > 0 {
		r.Lifetime = row.Lifetime
	}
	return r
}

func (o *issueOptions) reportList(l *hostcert.List) error {
	text := "issued " + report.Count(len(l.Done), "certificate")
	if l.Before > 0 {
		text += fmt.Sprintf("; %d were there before", l.Before)
	}
	if l.Elsewhere > 0 {
		text += fmt.Sprintf("; %d were issued by another process", l.Elsewhere)
	}
	o.say(text)
	o.warnEnding(l.Expired, "certificate has expired", "certificates have expired")
	o.warnEnding(l.Nearly, "certificate is nearly expired", "certificates are nearly expired")
	for _, r := range l.Done {
		o.tell(r, fmt.Sprintf("%q: ", r.Name))
	}
	if !o.output.json {
		return nil
	}
	return o.writeResults(nil, l.Done)
}

// warnEnding warns of existing certificates that expire. They are no error: issue does not renew.
func (o *issueOptions) warnEnding(paths []string, one, many string) {
	if len(paths) == 0 {
		return
	}
	what := one
	if len(paths) > 1 {
		what = many
	}
	o.warn(fmt.Sprintf("%d %s (%s): kedge-ca renew --from %s --out %s", len(paths), what, report.FirstOf(paths, report.MaxNamed, len(paths)), o.from, o.out))
}

// tell reports a key that an earlier run left, and warnings about a result.
func (h host) tell(r hostcert.Result, about string) {
	h.note(r.Notes(about))
}

// writeResults writes the JSON document of results, after the members of head.
func (h host) writeResults(head any, all []hostcert.Result) error {
	return h.writeIssued(head, func(yield func(issuedJSON, error) bool) {
		for _, r := range all {
			issued, err := r.Issued()
			if err != nil {
				yield(issuedJSON{}, err)
				return
			}
			if !yield(issuedJSON{certinfo.OfIssued(issued), r.Files}, nil) {
				return
			}
		}
	})
}

// issuedJSON is a certificate that was issued, with its files, in lists.
type issuedJSON struct {
	certinfo.Certificate
	Files identityFiles `json:"files"`
}

// writeIssued writes the JSON document of what was issued, after the members of head.
func (h host) writeIssued(head any, all iter.Seq2[issuedJSON, error]) error {
	l := report.Listing[issuedJSON]{Head: head, Key: "certificates", JSON: func(i issuedJSON) any { return i }}
	return l.Write(h.Out, report.JSON, all)
}
