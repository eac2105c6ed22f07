package ledger

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"
)

// The names of enrollment servers are reserved: hosts trust every server with a certificate of
// the CA for one of them. The certificate of a server has no subject, so that it is no identity at AWS, and is in
// no lineage.

const (
	findReserved = "SELECT n.seq FROM names n JOIN certificates c ON c.seq = n.seq WHERE n.server = 1 AND n.value = ? AND c.revoked_at IS NULL LIMIT 1"

	findTaken = `SELECT n.seq FROM names n JOIN certificates c ON c.seq = n.seq WHERE n.server = 0 AND n.value = ? AND n.kind IN ('dns', 'ip') AND c.kind = 'leaf'
		AND (c.revoked_at IS NULL OR c.reason = 6) AND (c.not_after >= ? OR EXISTS (SELECT 1 FROM lineages l WHERE l.newest = c.seq)) LIMIT 1`
)

// nameRules returns the rules about the DNS names and addresses of a certificate, which are compared
// as they are stored: DNS names in lower case. The common name of a leaf that could be a server's is
// one of them; of those that there are already, only alternative names are compared.
func (t *transaction) nameRules(r *record) []rule {
	if r.row.Kind != Leaf && r.row.Kind != Server && r.row.Kind != Probe {
		return nil
	}
	var all []rule
	for _, name := range r.hostNames {
		name = text(name)
		server, find := r.row.Kind == Server, statement{findReserved, []any{name}, 0}
		if server {
			find = statement{findTaken, []any{name, t.now().UnixMicro()}, 0}
		}
		all = append(all, rule{find, func(ctx context.Context, s *session, _ *record) error {
			c, err := s.certificate(ctx, "c.seq = ("+find.text+")", find.args...)
			if c == nil || err != nil {
				return err
			}
			return &ReservedNameError{Name: name, Server: server}
		}})
	}
	return all
}

// asServer makes a row that of an enrollment server's certificate.
func asServer(row *Certificate, cert *x509.Certificate) error {
	switch {
	case row.Kind != Leaf || len(cert.Subject.Names) != 0:
		return fmt.Errorf("record the certificate of a server: it has the subject %q, or is a CA's", row.Subject)
	case !slices.Equal(cert.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) || len(cert.UnknownExtKeyUsage) != 0:
		return fmt.Errorf("record the certificate of a server: it is not for serverAuth alone")
	case len(cert.DNSNames)+len(cert.IPAddresses) == 0:
		return fmt.Errorf("record the certificate of a server: it has no DNS name and no address")
	}
	row.Kind = Server
	return nil
}
