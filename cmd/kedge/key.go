package main

import (
	"bytes"
	"encoding/json"

	"github.com/spf13/cobra"
)

// newKeyCommands groups the commands about private keys.
func newKeyCommands(h host) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Make private keys in files, TPMs and on tokens",
	}
	cmd.AddCommand(newKeyCreate(h, runKeyCreate))
	return cmd
}

// printJSON is print for an object, as people and scripts like to read it.
func (h host) printJSON(v any) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return err
	}
	return h.print(out.Bytes())
}
