package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/hostfiles"
)

// target is something that is to be renewed, before it is read.
type target struct {
	text    string // as it was named
	files   identityFiles
	inFile  bool                // the certificate is in files.Certificate
	record  *ledger.Certificate // of the ledger, when a pattern found it there
	pattern bool                // it was found by a pattern or --all: what is no leaf is not meant
	err     error               // it cannot be looked for
}

// locate finds what is named: files in the folder of --out, other files, names in the ledger. What
// is not there is left for the ledger to find.
func (o *renewOptions) locate(ctx context.Context, s *store) ([]target, error) {
	var all []target
	if o.from != "" {
		rows, err := o.readHosts(o.from)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			all = append(all, o.locateFile(row.Name))
		}
		return all, nil
	}
	if len(o.targets) == 0 {
		return o.inFolder("*")
	}
	for _, text := range o.targets {
		found, err := o.locateNamed(ctx, s, text)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return distinctTargets(all), nil
}

// locateNamed finds what a word means.
func (o *renewOptions) locateNamed(ctx context.Context, s *store, text string) ([]target, error) {
	t := o.locateFile(text)
	if !t.inFile && t.err == nil {
		t.inFile, t.err = atomicfile.Exists(text)
		t.files = hostfiles.Beside(text)
	}
	if t.inFile || t.err != nil || !strings.Contains(text, "*") {
		return []target{t}, nil
	}
	all, err := o.inFolder(text)
	if err == nil && len(all) == 0 && !o.rekey {
		all, err = o.inLedger(ctx, s, text)
	}
	if err == nil && len(all) == 0 {
		return []target{t}, nil // which is not there
	}
	return all, err
}

// locateFile looks for NAME.pem.
func (o *renewOptions) locateFile(name string) target {
	t := target{text: name}
	if t.files, t.err = hostfiles.In(o.out, name); t.err == nil {
		t.inFile, t.err = atomicfile.Exists(t.files.Certificate)
	}
	return t
}

// inFolder returns the files NAME.pem in the folder whose NAME matches, by name.
func (o *renewOptions) inFolder(pattern string) ([]target, error) {
	entries, err := os.ReadDir(o.out)
	if err != nil {
		return nil, err
	}
	var all []target
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".pem")
		if !ok || e.IsDir() || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".chain") || strings.HasSuffix(name, ".fullchain") {
			continue
		}
		if !matchesName(hostfiles.FileName(pattern), name) {
			continue
		}
		all = append(all, target{text: name, files: hostfiles.Beside(filepath.Join(o.out, e.Name())), inFile: true, pattern: true})
	}
	return all, nil
}

// matchesName reports whether a name fits a pattern in which * is any run of characters, and
// nothing else is special.
func matchesName(pattern, name string) bool {
	special := strings.NewReplacer(`\`, `\\`, "?", `\?`, "[", `\[`)
	ok, err := path.Match(special.Replace(pattern), name)
	return err == nil && ok
}

// inLedger returns the newest certificate of each name that matches.
func (o *renewOptions) inLedger(ctx context.Context, s *store, pattern string) ([]target, error) {
	var all []target
	for c, err := range s.ledger.List(ctx, ledger.Filter{Kind: ledger.Leaf, Newest: true, CommonName: pattern}) {
		if err != nil {
			return nil, err
		}
		all = append(all, target{text: c.CommonName, record: &c})
	}
	return all, nil
}

// distinctTargets leaves out what was named twice.
func distinctTargets(all []target) []target {
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

// read takes the certificate of a target.
func (o *renewOptions) read(ctx context.Context, s *store, t target) (*renewal, error) {
	r := &renewal{options: o, files: t.files, inFile: t.inFile}
	var err error
	switch {
	case t.err != nil:
		err = t.err
	case t.inFile:
		err = r.readFile(ctx, s.ledger)
	case t.record != nil:
		err = r.takeRecord(*t.record)
	case o.rekey:
		err = fmt.Errorf("%s: %w", o.out, &issuance.NoMatchError{Text: t.text})
	default:
		err = r.readLedger(ctx, s, t.text)
	}
	return r, err
}
