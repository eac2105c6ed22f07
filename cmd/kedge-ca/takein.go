package main

import (
	"github.com/spf13/cobra"

	"kedge/internal/localca"
)

// pastFlags say what a CA issued before its ledger existed.
type pastFlags struct{ localca.PastRequest }

func (f *pastFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.Sources.CRL, "crl", nil, "`FILE` with a CRL that the CA signed before: what it revokes stays revoked, and its number is gone on from; may be repeated")
	cmd.Flags().BoolVar(&f.Complete, "nothing-missing", false, "say that with this the ledger has all that the CA issued before, and all it revoked")
}

// request returns what an authority issued before, by the flags.
func (f *pastFlags) request(h host, authority, why string) localca.PastRequest {
	r := f.PastRequest
	r.Authority, r.Why, r.Sources.Now = authority, why, h.inputs.Now()
	return r
}
