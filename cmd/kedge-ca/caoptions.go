package main

import (
	"github.com/spf13/cobra"

	"kedge/internal/report"
)

// caOptions are common to all commands about a CA.
type caOptions struct {
	host
	store  storeFlags
	output outputFlags
}

// add is for commands that open no key, and whose result is one document.
func (o *caOptions) add(cmd *cobra.Command) {
	o.store.addFolder(cmd)
	o.output.add(cmd)
}

// addList is for commands that open no key, and list records.
func (o *caOptions) addList(cmd *cobra.Command) {
	o.store.addFolder(cmd)
	o.output.addList(cmd)
}

// addKeys is for commands that open keys, and whose result is one document.
func (o *caOptions) addKeys(cmd *cobra.Command) {
	o.store.add(cmd)
	o.output.add(cmd)
}

// writeJSON writes the result as JSON, if the flags say so.
func (o *caOptions) writeJSON(document any) error {
	if !o.output.json {
		return nil
	}
	return report.WriteJSON(o.Out, document)
}
