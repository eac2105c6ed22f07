package main

import (
	"bytes"
	"io"

	"github.com/spf13/cobra"
)

// newCompletion replaces cobra's own command of this name, which writes as it generates and
// ignores a closed or full output. Its names and flags are kept.
func newCompletion(h host) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "completion",
		Short: "Print the completion script of a shell",
	}
	cmd.AddCommand(
		newCompletionFor(h, "bash", "  source <(kedge completion bash)", func(root *cobra.Command, w io.Writer, describe bool) error {
			return root.GenBashCompletionV2(w, describe)
		}),
		newCompletionFor(h, "zsh", `  kedge completion zsh > "${fpath[1]}/_kedge"`, func(root *cobra.Command, w io.Writer, describe bool) error {
			if !describe {
				return root.GenZshCompletionNoDesc(w)
			}
			return root.GenZshCompletion(w)
		}),
		newCompletionFor(h, "fish", "  kedge completion fish | source", func(root *cobra.Command, w io.Writer, describe bool) error {
			return root.GenFishCompletion(w, describe)
		}),
		newCompletionFor(h, "powershell", "  kedge completion powershell | Out-String | Invoke-Expression", func(root *cobra.Command, w io.Writer, describe bool) error {
			if !describe {
				return root.GenPowerShellCompletion(w)
			}
			return root.GenPowerShellCompletionWithDesc(w)
		}),
	)
	return cmd
}

type generator func(root *cobra.Command, w io.Writer, describe bool) error

func newCompletionFor(h host, shell, example string, generate generator) *cobra.Command {
	var noDescriptions bool
	cmd := &cobra.Command{
		Use:     shell,
		Short:   "Print the completion script for " + shell,
		Example: example,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var script bytes.Buffer
			if err := generate(cmd.Root(), &script, !noDescriptions); err != nil {
				return err
			}
			return h.print(script.Bytes())
		},
	}
	cmd.Flags().BoolVar(&noDescriptions, "no-descriptions", false, "leave the descriptions out")
	return cmd
}
