package main

import (
	"context"

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

func (o *caOptions) ca() *caOptions { return o }

// anyOptions are those of any command about a CA: a struct that embeds caOptions.
type anyOptions interface{ ca() *caOptions }

// reading returns the function that opens the CA to read it, calls run with it, and closes it.
func reading[O anyOptions](run func(context.Context, *store, O) error) func(context.Context, O) error {
	return opening(readStore, run)
}

// changing is reading for commands that change the CA.
func changing[O anyOptions](run func(context.Context, *store, O) error) func(context.Context, O) error {
	return opening(openStore, run)
}

func opening[O anyOptions](open func(context.Context, host, *storeFlags) (*store, error), run func(context.Context, *store, O) error) func(context.Context, O) error {
	return func(ctx context.Context, o O) (err error) {
		s, err := open(ctx, o.ca().host, &o.ca().store)
		if err != nil {
			return err
		}
		defer s.close(&err)
		return run(ctx, s, o)
	}
}
