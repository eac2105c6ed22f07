package hostcert

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/dn"
	"kedge/internal/hostfiles"
)

// Named specifies what to renew. The zero value names nothing.
type Named struct {
	All   bool     // every NAME.pem in the folder
	Hosts []string // for each, NAME.pem in the folder, or else the newest certificate in the ledger
	Words []string // the same, or the path of a certificate, or a pattern with * for any run of characters
}

// target is a certificate to be renewed. There can be many: it does not keep the certificate,
// unless it is a record of the ledger.
type target struct {
	text    string // as the user named it
	files   hostfiles.Paths
	inFile  bool                // the certificate is in files.Certificate
	record  *ledger.Certificate // if it was found in the ledger
	pattern bool                // found by a pattern or All: certificates of CAs are left out
	planned [sha256.Size]byte   // the fingerprint of the certificate at Plan
	err     error               // why it was not found
}

// locate finds what is named: in files first, the rest in the ledger.
func (r *Renewer) locate(ctx context.Context, what Named) ([]target, error) {
	if what.All {
		return r.inFolder("*")
	}
	var all []target
	for _, name := range what.Hosts {
		all = append(all, r.locateFile(name))
	}
	for _, text := range what.Words {
		found, err := r.locateWord(ctx, text)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return distinct(all), nil
}

// locateWord finds the certificates that a word names.
func (r *Renewer) locateWord(ctx context.Context, text string) ([]target, error) {
	t := r.locateFile(text)
	if !t.inFile && t.err == nil {
		t.inFile, t.err = atomicfile.Exists(text)
		t.files = hostfiles.Beside(text)
	}
	if t.inFile || t.err != nil || !strings.Contains(text, "*") {
		return []target{t}, nil
	}
	all, err := r.inFolder(text)
	if err == nil && len(all) == 0 && r.NewKey == nil {
		all, err = r.inLedger(ctx, text)
	}
	if err == nil && len(all) == 0 {
		return []target{t}, nil // which does not exist
	}
	return all, err
}

// locateFile looks for NAME.pem.
func (r *Renewer) locateFile(name string) target {
	t := target{text: name}
	if t.files, t.err = hostfiles.In(r.Out, name); t.err == nil {
		t.inFile, t.err = atomicfile.Exists(t.files.Certificate)
	}
	return t
}

// inFolder returns the files NAME.pem in the folder whose NAME matches, sorted.
func (r *Renewer) inFolder(pattern string) ([]target, error) {
	entries, err := os.ReadDir(r.Out)
	if err != nil {
		return nil, err
	}
	var all []target
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".pem")
		if !ok || e.IsDir() || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".chain") || strings.HasSuffix(name, ".fullchain") {
			continue
		}
		if !ledger.Matches(dn.FileName(pattern), name) {
			continue
		}
		all = append(all, target{text: name, files: hostfiles.Beside(filepath.Join(r.Out, e.Name())), inFile: true, pattern: true})
	}
	return all, nil
}

// inLedger returns the newest certificate of each name that matches.
func (r *Renewer) inLedger(ctx context.Context, pattern string) ([]target, error) {
	var all []target
	for c, err := range r.Ledger.List(ctx, ledger.Filter{Kind: ledger.Leaf, Newest: true, CommonName: pattern}) {
		if err != nil {
			return nil, err
		}
		all = append(all, target{text: c.CommonName, record: &c})
	}
	return all, nil
}

// distinct removes duplicates.
func distinct(all []target) []target {
	seen := map[string]bool{}
	var once []target
	for _, t := range all {
		id := "name " + t.text
		if t.inFile {
			id = "file " + filepath.Clean(t.files.Certificate)
		}
		if !seen[id] {
			seen[id] = true
			once = append(once, t)
		}
	}
	return once
}

// read reads the certificate of a target; with an error the renewal is incomplete.
func (r *Renewer) read(ctx context.Context, t target) (*renewal, error) {
	one := &renewal{renewer: r, files: t.files, inFile: t.inFile}
	var err error
	switch {
	case t.err != nil:
		err = t.err
	case t.inFile:
		err = one.readFile(ctx)
	case t.record != nil:
		err = one.takeRecord(*t.record)
	case r.NewKey != nil:
		err = fmt.Errorf("%s: %w", r.Out, &issuance.NoMatchError{Text: t.text})
	default:
		err = one.readLedger(ctx, t.text)
	}
	return one, err
}
