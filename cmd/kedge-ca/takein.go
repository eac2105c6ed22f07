package main

import (
	"github.com/spf13/cobra"

	"kedge/internal/localca"
	"kedge/internal/takeover"
)

// pastFlags say what a CA issued before its ledger existed.
type pastFlags struct {
	paths    []string
	crls     []string
	complete bool
}

func (f *pastFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.crls, "crl", nil, "`FILE` with a CRL that the CA signed before: what it revokes stays revoked, and its number is gone on from; may be repeated")
	cmd.Flags().BoolVar(&f.complete, "nothing-missing", false, "say that with this the ledger has all that the CA issued before, and all it revoked")
}

// any reports whether something is to be imported or stated.
func (f *pastFlags) any() bool { return len(f.paths)+len(f.crls) > 0 || f.complete }

// request returns what an authority issued before, by the flags.
func (f *pastFlags) request(h host, authority, why string) localca.PastRequest {
	from := takeover.Sources{Paths: f.paths, CRL: f.crls, Now: h.inputs.Now()}
	return localca.PastRequest{Authority: authority, Sources: from, Complete: f.complete, Why: why}
}
