package main

import (
	"fmt"
	"strings"
	"time"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/hostfiles"
)

// endingFiles are the certificates of a list that were there before, and that end.
type endingFiles struct {
	expired, nearly []string // paths
}

// add looks at a certificate in a file.
func (e *endingFiles) add(path string, limits issuance.Expiry, now time.Time) error {
	cert, err := hostfiles.ReadCertificate(path)
	if err != nil {
		return err
	}
	switch limits.State(cert.NotBefore, cert.NotAfter, now) {
	case ledger.Expired:
		e.expired = append(e.expired, path)
	case issuance.Expiring:
		e.nearly = append(e.nearly, path)
	}
	return nil
}

// tell warns of them. They are no error: issue does not renew.
func (e *endingFiles) tell(h host, from, out string) {
	for _, one := range []struct {
		paths        []string
		single, many string
	}{
		{e.expired, "certificate has expired", "certificates have expired"},
		{e.nearly, "certificate is nearly expired", "certificates are nearly expired"},
	} {
		n := len(one.paths)
		if n == 0 {
			continue
		}
		what := one.single
		if n > 1 {
			what = one.many
		}
		names := strings.Join(one.paths[:min(n, maxNamed)], ", ")
		if n > maxNamed {
			names += fmt.Sprintf(" and %d more", n-maxNamed)
		}
		h.warn(fmt.Sprintf("%d %s (%s): kedge-ca renew --from %s --out %s", n, what, names, from, out))
	}
}
