package main

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// change starts the workers that change what was issued in earlier rounds. Each keeps what it is
// at in w, and ends with the first command that does not succeed.
func (w *workers) change() {
	r := w.r
	w.group.Go(func() {
		for i := 0; len(r.renewable) != 0; i++ {
			w.renewal = r.renewable[i%len(r.renewable)]
			if !w.run(r.renew(w.renewal)...) {
				return
			}
			r.renewals++
			w.renewal = ""
		}
	})
	w.group.Go(func() {
		for len(r.revocable) != 0 {
			w.toRevoke = r.revocable[0]
			if !w.run(r.revoke(w.toRevoke)...) {
				return
			}
			if err := r.isRevoked(w.toRevoke); err != nil {
				w.fail(err)
				return
			}
			w.toRevoke = ""
		}
	})
	w.group.Go(func() {
		for w.run("crl") {
			if err := r.seeLists(); err != nil {
				w.fail(err)
				return
			}
		}
	})
	w.age()
	if w.rotates {
		w.step = true
		w.group.Go(func() { w.step = !w.run(r.rotate()...) })
	}
}

func (w *workers) fail(err error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.failed = append(w.failed, err)
}

// again resumes what was interrupted.
func (r *rehearsal) again(w *workers) error {
	if w.step {
		if _, err := r.kedgeCA(r.rotate()...); err != nil {
			return fmt.Errorf("the same step again: %w", err)
		}
	}
	if w.rotates {
		r.steps++
	}
	if w.renewal != "" {
		if _, err := r.kedgeCA(r.renew(w.renewal)...); err != nil {
			return fmt.Errorf("the same renewal again: %w", err)
		}
		r.renewals++
	}
	if w.aging != "" {
		if _, err := r.kedgeCA(r.age(w.aging)...); err != nil {
			return fmt.Errorf("the same short renewal again: %w", err)
		}
	}
	if _, err := r.kedgeCA(archive()...); err != nil {
		return fmt.Errorf("the archive, gone on with: %w", err)
	}
	if w.toRevoke != "" {
		if _, err := r.kedgeCA(r.revoke(w.toRevoke)...); err != nil && !strings.Contains(err.Error(), "was revoked") {
			return fmt.Errorf("the same revocation again: %w", err)
		}
		if err := r.isRevoked(w.toRevoke); err != nil {
			return err
		}
	}
	if _, err := r.kedgeCA("crl"); err != nil {
		return fmt.Errorf("the next list: %w", err)
	}
	return r.seeLists()
}

func (r *rehearsal) renew(name string) []string {
	return []string{"renew", name, "--out", r.path("out")}
}

func (r *rehearsal) revoke(name string) []string {
	return []string{"revoke", name, "--reason", "key-compromise", "--yes"}
}

// rotate returns the next step of a rotation.
func (r *rehearsal) rotate() []string {
	return [][]string{{"rotate", "start", "--no-password"}, {"rotate", "switch", "--yes"}, {"rotate", "finish", "--yes"}}[r.steps%3]
}

// share gives the workers of the next rounds something to change.
func (r *rehearsal) share(n int, issued []string) {
	for _, name := range issued {
		switch {
		case strings.HasPrefix(name, fmt.Sprintf("round-%d-a-", n)) && len(r.renewable) < 10:
			r.renewable = append(r.renewable, name)
		case strings.HasPrefix(name, fmt.Sprintf("round-%d-b-", n)):
			r.revocable = append(r.revocable, name)
		}
	}
}

// isRevoked records that the certificate of a name was reported as revoked.
func (r *rehearsal) isRevoked(name string) error {
	der, err := readPEM(r.path("out/"+name+".pem"), "CERTIFICATE")
	if err != nil {
		return err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	r.revocable = r.revocable[1:]
	r.revoked = append(r.revoked, fmt.Sprintf("%x", cert.SerialNumber))
	return nil
}

// seeLists reads the published CRLs. A number must not be reused with another content.
func (r *rehearsal) seeLists() error {
	return r.eachList(func(authority string, list *x509.RevocationList) error {
		id, sum := fmt.Sprintf("list %d of %s", list.Number, authority), fmt.Sprintf("%x", sha256.Sum256(list.Raw))
		if before, ok := r.lists[id]; ok && before != sum {
			return fmt.Errorf("the %s has come with two contents", id)
		}
		r.lists[id] = sum
		return nil
	})
}

func (r *rehearsal) eachList(see func(authority string, list *x509.RevocationList) error) error {
	files, err := filepath.Glob(r.path("ca/crl/*.crl"))
	if err != nil {
		return err
	}
	for _, file := range files {
		der, err := readPEM(file, "X509 CRL")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		list, err := x509.ParseRevocationList(der)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := see(filepath.Base(file), list); err != nil {
			return err
		}
	}
	return nil
}

// checkRevoked makes the CRLs, which must have everything that was reported as revoked.
func (r *rehearsal) checkRevoked() error {
	if _, err := r.kedgeCA("crl"); err != nil {
		return err
	}
	listed := map[string]bool{}
	err := r.eachList(func(_ string, list *x509.RevocationList) error {
		for _, e := range list.RevokedCertificateEntries {
			listed[fmt.Sprintf("%x", e.SerialNumber)] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(listed) == 0 {
		return errors.New("no list holds anything, so that nothing was tried")
	}
	for _, serial := range r.revoked {
		if !listed[serial] {
			return fmt.Errorf("serial %s was said to be revoked and is on no list", serial)
		}
	}
	return nil
}
