package hostcert

import (
	"fmt"

	"kedge/internal/certinfo"
	"kedge/internal/hostfiles"
	"kedge/internal/report"
)

// Notes names a key of an earlier run that was taken, and has the warnings about a result, which begin
// with about.
func (r Result) Notes(about string) (n report.Notes) {
	if r.Leftover != "" {
		n.Done("%s", hostfiles.Resumed(r.Leftover))
	}
	for _, warning := range r.Warnings {
		n.Warn("%s%s", about, warning)
	}
	return n
}

// Notes lists what was renewed, which certificates were left, and what failed and why.
func (w *Renewals) Notes() (report.Notes, error) {
	n, err := w.done()
	if err != nil {
		return n, err
	}
	switch {
	case w.Named == 0:
		n.Done("there is nothing to renew in %s", w.renewer.Out)
	case w.NotDue > 0:
		n.Done("left %s, valid for longer than %v", report.Count(w.NotDue, "certificate"), w.renewer.Within)
	}
	for _, f := range w.Failed {
		n.Warn("not done: %v", f.Err)
	}
	return n, nil
}

// done lists what was renewed: each certificate, or of many their number.
func (w *Renewals) done() (n report.Notes, err error) {
	verb := w.renewer.verb()
	many := len(w.Done) > report.MaxNamed
	if many {
		n.Done("%s %s", verb, report.Count(len(w.Done), "certificate"))
	}
	for _, r := range w.Done {
		if many {
			n = append(n, r.Notes(fmt.Sprintf("%q: ", r.Name))...)
			continue
		}
		issued, err := r.Issued()
		if err != nil {
			return n, err
		}
		again := ""
		if r.Again {
			again = " before, and now wrote,"
		}
		n.Done("%s%s %s: %s", verb, again, certinfo.InWords(r.Name, issued.Certificate), r.Files)
		n = append(n, r.Notes("")...)
	}
	return n, nil
}

// verb is what the renewer did.
func (r *Renewer) verb() string {
	if r.NewKey != nil {
		return "rekeyed"
	}
	return "renewed"
}

// FailedJSON returns the head of the JSON document of renewals, which names those that failed: nil if none
// did. hint returns what to do about an error; empty: nothing is known.
func (w *Renewals) FailedJSON(hint func(error) string) any {
	type failed struct {
		Name  string `json:"name"`
		Error string `json:"error"`
		Hint  string `json:"hint,omitempty"`
	}
	var head struct {
		Failed []failed `json:"failed"`
	}
	for _, f := range w.Failed {
		head.Failed = append(head.Failed, failed{f.Name, f.Err.Error(), hint(f.Err)})
	}
	if head.Failed == nil {
		return nil
	}
	return head
}
