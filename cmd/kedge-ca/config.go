package main

import (
	"context"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"kedge/internal/report"
)

type configOptions struct {
	caOptions
}

// newConfig returns the command with the subcommands about kedge-ca.yaml.
func newConfig(h host) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Show the configuration",
		Example: "  kedge-ca config show",
	}
	cmd.AddCommand(newConfigShow(h, runConfigShow))
	return cmd
}

func newConfigShow(h host, run func(context.Context, *configOptions) error) *cobra.Command {
	o := &configOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print the configuration in force",
		Long: `Print the configuration in force, with the built-in profile where none is listed, as a file
to start from: every key with its value, what it means and its default. It needs no CA. The
password in the address of a ledger is left out.`,
		Example: "  kedge-ca config show > kedge-ca.yaml",
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.add(cmd)
	return cmd
}

func runConfigShow(_ context.Context, o *configOptions) error {
	s, err := o.store.folder().Settings()
	if err != nil {
		return err
	}
	text, err := s.YAML()
	if err != nil {
		return err
	}
	if !o.output.json {
		return report.Write(o.Out, text)
	}
	var document struct {
		File   string         `json:"file"`
		Config map[string]any `json:"config"`
	}
	document.File = o.store.folder().SettingsPath()
	if err := yaml.Unmarshal(text, &document.Config); err != nil {
		return err
	}
	return report.WriteJSON(o.Out, document)
}
