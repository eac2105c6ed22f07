package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"kedge/internal/cache"
	"kedge/internal/cli"
)

type cacheListOptions struct {
	host
	cache cacheFlags
	json  bool
}

func newCacheList(h host, run func(context.Context, *cacheListOptions) error) *cobra.Command {
	o := &cacheListOptions{host: h}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List cached credentials, without the secrets",
		Example: `  kedge cache list
  kedge cache list --cache /var/lib/backup/kedge --json`,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.cache.checkNamed(cmd, o.host) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.cache.add(cmd.Flags())
	cli.AddJSON(cmd.Flags(), &o.json)
	return cmd
}

func runCacheList(_ context.Context, o *cacheListOptions) error {
	c, err := o.cache.existing(o.host)
	if err != nil {
		return err
	}
	entries, err := c.List()
	if err != nil {
		return fmt.Errorf("list the cache: %w", err)
	}
	if o.json {
		return o.printCacheJSON(entries)
	}
	return o.printCacheTable(entries)
}

// printCacheTable prints nothing when there is nothing.
func (o *cacheListOptions) printCacheTable(entries []*cache.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	var b bytes.Buffer
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ROLE\tEXPIRES\tLEFT\tAGE\tFILE")
	now := o.inputs.Now()
	for _, e := range entries {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", cli.Printable(e.Role), e.Expires.UTC().Format(time.RFC3339),
			span(e.Expires.Sub(now)), span(now.Sub(e.Renewed)), cli.Printable(absolute(e.Path)))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return o.print(b.Bytes())
}

// span is a length of time to the minute: nobody counts the seconds of a session.
func span(d time.Duration) string {
	if d <= 0 {
		return "none"
	}
	d = d.Truncate(time.Minute)
	if d < time.Hour {
		return fmt.Sprintf("%dm", int(d.Minutes()))
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

type cacheJSON struct {
	Schema  int              `json:"schema"`
	Entries []cacheEntryJSON `json:"entries"`
}

type cacheEntryJSON struct {
	Role    string    `json:"role"`
	Renewed time.Time `json:"renewed"`
	Expires time.Time `json:"expires"`
	File    string    `json:"file"`
	Key     cache.Key `json:"key"`
}

func (o *cacheListOptions) printCacheJSON(entries []*cache.Entry) error {
	document := cacheJSON{Schema: 1, Entries: []cacheEntryJSON{}}
	for _, e := range entries {
		document.Entries = append(document.Entries, cacheEntryJSON{
			Role: e.Role, Renewed: e.Renewed, Expires: e.Expires, File: absolute(e.Path), Key: e.Key,
		})
	}
	data, err := json.MarshalIndent(document, "", "  ")
	if err != nil {
		return err
	}
	return o.print(append(data, '\n'))
}
