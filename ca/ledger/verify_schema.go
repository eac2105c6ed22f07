package ledger

import (
	"context"
	"database/sql"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// object is a part of the schema: what it is called, and what it is.
type object struct{ name, text string }

// checkSchema finds what the rows do not show: a view in place of a table, a trigger that
// changes what is written next, an index that no longer keeps a serial number unique.
func (v *verifier) checkSchema(ctx context.Context) error {
	got, err := readObjects(ctx, v.conn, v.e.objects)
	if err != nil {
		return err
	}
	want, err := v.e.expected(ctx)
	if err != nil {
		return err
	}
	made := map[string][]string{}
	for _, o := range want {
		made[o.name] = append(made[o.name], o.text)
	}
	for _, o := range got {
		texts := made[o.name]
		i := slices.Index(texts, o.text)
		switch {
		case i >= 0:
			made[o.name] = slices.Delete(texts, i, i+1)
		case len(texts) > 0:
			v.report.add("schema", o.name, "it is %s; it was made as %s", show(o.text), show(texts[0]))
			made[o.name] = texts[1:]
		default:
			v.report.add("schema", o.name, "it does not belong there: %s", show(o.text))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(made)) {
		for _, text := range made[name] {
			v.report.add("schema", name, "it is missing: %s", show(text))
		}
	}
	return nil
}

// readObjects leaves out how a text was laid out.
func readObjects(ctx context.Context, conn *sql.Conn, text string) ([]object, error) {
	rows, err := conn.QueryContext(ctx, text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	comment := regexp.MustCompile(`--[^\n]*`)
	var all []object
	for rows.Next() {
		var o object
		if err := rows.Scan(&o.name, &o.text); err != nil {
			return nil, err
		}
		o.text = strings.Join(strings.Fields(comment.ReplaceAllString(o.text, "")), " ")
		all = append(all, o)
	}
	return all, rows.Err()
}
