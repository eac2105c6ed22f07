package ledger

import (
	"fmt"

	"kedge/ca"
)

// asProbe makes a row that of a probe's certificate. A probe has a name that a host may have, and must not take its
// place: it joins no lineage, replaces nothing, and no host gets it.
func asProbe(row *Certificate, i ca.Issued) error {
	if row.Kind != Leaf || len(i.Replaces) != 0 || i.Enrollment != nil || i.Server {
		return fmt.Errorf("record the certificate of a probe, %q: it is none of a leaf, or replaces one, or was given to a host", row.Subject)
	}
	row.Kind = Probe
	return nil
}
