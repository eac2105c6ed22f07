package ledger

import (
	"context"
	"maps"
	"slices"
)

func (v *verifier) checkAuthorities(ctx context.Context) error {
	t := authoritiesTable()
	err := t.rows(ctx, v.session, "", nil, func(row []any) error {
		v.seen[t.name]++
		name, _ := row[0].(string)
		want := v.authorities[name]
		if want == nil {
			v.report.add(t.name, show(row[0]), "no entry records such an authority")
			return nil
		}
		want.seen = true
		v.report.compare(t, name, row, want.values)
		return nil
	})
	for _, name := range slices.Sorted(maps.Keys(v.authorities)) {
		if !v.authorities[name].seen {
			v.report.add(t.name, name, "it is missing")
		}
	}
	return err
}
