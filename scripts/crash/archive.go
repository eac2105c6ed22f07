package main

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Hosts whose certificates expire soon and are renewed again and again, so that there is something to archive.
const (
	agingNames    = 8
	agingLifetime = "1s"
)

func agingName(i int) string { return fmt.Sprintf("aging-%d", i%agingNames) }

func (r *rehearsal) age(name string) []string {
	return append(r.renew(name), "--lifetime", agingLifetime, "--yes")
}

func archive() []string { return []string{"ledger", "archive", "--before", "0s"} }

// age starts a worker that renews these, and one that archives.
func (w *workers) age() {
	r := w.r
	w.group.Go(func() {
		for ; ; r.aged++ {
			w.aging = agingName(r.aged)
			if !w.run(r.age(w.aging)...) {
				return
			}
			w.aging = ""
		}
	})
	w.group.Go(func() {
		for w.run(archive()...) {
		}
	})
}

// archived archives the rest, and returns what the archive has, which the ledger is verified with.
func (r *rehearsal) archived() (certificates, segments int, err error) {
	if _, err := r.kedgeCA(archive()...); err != nil {
		return 0, 0, err
	}
	out, err := r.kedgeCA("ledger", "verify", "--json")
	if err != nil {
		return 0, 0, err
	}
	var verified struct{ Archived, Segments int }
	if err := json.Unmarshal(out, &verified); err != nil {
		return 0, 0, err
	}
	if verified.Archived == 0 {
		return 0, 0, errors.New("nothing was archived, so that nothing was tried")
	}
	return verified.Archived, verified.Segments, nil
}
