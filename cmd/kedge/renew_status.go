package main

import (
	"bytes"
	"fmt"
	"text/tabwriter"
	"time"

	"kedge/internal/cli"
	"kedge/internal/enrollclient"
	"kedge/internal/hostdir"
)

func (o *renewOptions) printStatus(dirs []string) error {
	list := make([]enrollclient.Status, 0, len(dirs))
	for _, dir := range dirs {
		pair, err := hostdir.Current(dir)
		if err != nil {
			return err
		}
		list = append(list, enrollclient.StatusOf(dir, pair))
	}
	if o.json {
		return o.printJSON(struct {
			Schema     int                   `json:"schema"`
			Identities []enrollclient.Status `json:"identities"`
		}{1, list})
	}
	var b bytes.Buffer
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tCERTIFICATE\tUNTIL\tRENEW AFTER\tFAILURES\tFOLDER")
	for _, s := range list {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\n", cli.Printable(s.Name), s.Serial, s.NotAfter.Format(time.RFC3339), s.RenewAt.Format(time.RFC3339), s.Failures, s.Dir)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, s := range list {
		if s.Error != "" {
			o.warn(fmt.Sprintf("%s: the last try to renew, at %s, failed: %s", s.Name, s.LastTry.Format(time.RFC3339), s.Error))
		}
	}
	return o.print(b.Bytes())
}
