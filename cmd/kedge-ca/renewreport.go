package main

import (
	"errors"
	"fmt"
	"time"

	"kedge/internal/certinfo"
	"kedge/internal/hostcert"
	"kedge/internal/report"
)

// report writes the results, and returns an error if something was not renewed.
func (o *renewOptions) report(w *hostcert.Renewals) error {
	err := w.Err(o.verb(false))
	if len(w.Failed) == 1 && err == w.Failed[0].Err { // the only certificate that was named
		return err
	}
	many := len(w.Done) > report.MaxNamed
	if many {
		o.say(fmt.Sprintf("%s %s", o.verb(false), count(len(w.Done), "certificate")))
	}
	for _, r := range w.Done {
		about := ""
		if many {
			about = fmt.Sprintf("%q: ", r.Name)
		} else {
			issued, err := r.Issued()
			if err != nil {
				return err
			}
			o.say(fmt.Sprintf("%s %s: %s", o.verb(r.Again), certinfo.InWords(r.Name, issued.Certificate), r.Files))
		}
		o.tell(r, about)
	}
	switch {
	case w.Named == 0:
		o.say("there is nothing to renew in " + o.out)
	case w.NotDue > 0:
		o.say(fmt.Sprintf("left %s, valid for longer than %v", count(w.NotDue, "certificate"), time.Duration(o.within)))
	}
	for _, f := range w.Failed {
		o.warn("not done: " + f.Err.Error())
	}
	if !o.output.json {
		return err
	}
	return errors.Join(err, o.writeResults(failedJSON(w.Failed), w.Done))
}

func (o *renewOptions) verb(resumed bool) string {
	verb := "renewed"
	if o.rekey {
		verb = "rekeyed"
	}
	if resumed {
		return verb + " before, and now wrote,"
	}
	return verb
}

// failedJSON returns the head of the JSON document: the failures, if any.
func failedJSON(all []hostcert.Failure) any {
	type failed struct {
		Name  string `json:"name"`
		Error string `json:"error"`
		Hint  string `json:"hint,omitempty"`
	}
	var head struct {
		Failed []failed `json:"failed"`
	}
	for _, f := range all {
		head.Failed = append(head.Failed, failed{f.Name, f.Err.Error(), advise(f.Err).Hint})
	}
	if head.Failed == nil {
		return nil
	}
	return head
}
