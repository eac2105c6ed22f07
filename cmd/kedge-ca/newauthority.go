package main

import (
	"context"
	"crypto/x509"
	"errors"
	"os"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/filelock"
	"kedge/internal/hostfiles"
)

// issueCA issues a certificate for the key of an authority, unless a run before or another
// process recorded one, which is returned then.
func (s *store) issueCA(ctx context.Context, k *caKey, prepared *ca.Prepared) (*x509.Certificate, error) {
	if err := k.write(); err != nil {
		return nil, err
	}
	unlock, err := filelock.Lock(ctx, k.path, hostfiles.LockTimeout)
	if err != nil {
		return nil, err
	}
	defer unlock()
	cert, _, err := s.service.IssueCA(ctx, prepared)
	if err != nil && !k.resumed && !issuance.MayBeRecorded(err) {
		err = errors.Join(err, os.Remove(k.path))
	}
	return cert, err
}

// writeCopies writes the NAME.pem of authorities that the ledger has, or replaces it when an
// authority got another certificate.
func (f *storeFlags) writeCopies(all ...ledger.Authority) error {
	for _, a := range all {
		if err := f.folder().WriteCertificate(a.Name, a.Certificate); err != nil {
			return err
		}
	}
	return nil
}

// checkName refuses a name for an authority that its files cannot have, or that is taken.
func (s *store) checkName(ctx context.Context, name string) error {
	if err := s.service.CheckNewName(ctx, name); err != nil {
		return err
	}
	return atomicfile.Vacant(s.flags.certPath(name))
}
