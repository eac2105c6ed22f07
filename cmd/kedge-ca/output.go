package main

import (
	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/report"
)

// note writes the lines about a result to standard error.
func (h host) note(all report.Notes) {
	for _, n := range all {
		cli.Say(h.Err, name, n.Label, n.Text)
	}
}

// outputFlags select the format of standard output.
type outputFlags struct{ json, csv bool }

// add is for commands whose result is one document.
func (f *outputFlags) add(cmd *cobra.Command) {
	cli.AddJSON(cmd.Flags(), &f.json)
}

// addList is for commands that list records.
func (f *outputFlags) addList(cmd *cobra.Command) {
	f.add(cmd)
	cmd.Flags().BoolVar(&f.csv, "csv", false, "write comma-separated values with a header line to standard output")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
}

// format returns the format that the flags select.
func (f outputFlags) format() report.Format {
	switch {
	case f.json:
		return report.JSON
	case f.csv:
		return report.CSV
	}
	return report.Text
}
