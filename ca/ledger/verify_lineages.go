package ledger

import (
	"context"
	"maps"
	"slices"
)

// checkLineages compares the table with what the certificates imply.
func (v *verifier) checkLineages(ctx context.Context) error {
	t := lineagesTable()
	seen := map[int64]bool{}
	err := t.rows(ctx, v.session, "", nil, func(row []any) error {
		v.seen[t.name]++
		id, _ := row[0].(int64)
		l := v.history.lineages[id]
		if l == nil && v.archive.incomplete {
			return nil
		}
		if l == nil {
			v.report.add(t.name, show(row[0]), "there is no such lineage, or it has ended")
			return nil
		}
		seen[id] = true
		if v.archive.incomplete {
			return nil
		}
		old := int64(0)
		if l.old {
			old = 1
		}
		v.report.compare(t, id, row, []any{id, l.name, l.newest, old, l.common, l.recoveries, orNull([]byte(l.onlyKey))})
		return nil
	})
	for _, id := range slices.Sorted(maps.Keys(v.history.lineages)) {
		if !seen[id] && !v.archive.incomplete {
			v.report.add(t.name, id, "it is missing")
		}
	}
	return err
}
