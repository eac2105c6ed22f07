package certinfo

import (
	"encoding/hex"
	"fmt"

	"kedge/ca/issuance"
	"kedge/internal/report"
)

// GoesOn returns which host goes on, and what becomes of the other.
func GoesOn(name string, r *issuance.Resolved) []string {
	if !r.Back {
		return []string{
			fmt.Sprintf("%q goes on with the certificate with serial %s, whose host renewed first", name, r.Kept.Serial),
			"the host that was refused has to enroll anew: kedge-ca token NAME, with a name of its own, then kedge enroll --force there",
		}
	}
	shared := fmt.Sprintf("the other host has the key of that certificate too, and it is valid until %s", report.Time(r.Kept.NotAfter))
	if r.Key == nil {
		return []string{fmt.Sprintf("%q goes on with the certificate with serial %s: rekey it now, for whoever does so first goes on", name, r.Kept.Serial), shared}
	}
	from := ""
	if r.Address.IsValid() {
		from = " from " + r.Address.String()
	}
	return []string{
		fmt.Sprintf("%q goes on with the certificate with serial %s: only the key %s, which asked%s, can renew it, and that host does so by itself at its next try, or at once with kedge renew --force", name, r.Kept.Serial, hex.EncodeToString(r.Key), from),
		shared,
	}
}
