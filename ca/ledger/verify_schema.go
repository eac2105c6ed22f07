package ledger

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// object is a part of the schema: its name and its definition.
type object struct{ name, text string }

// checkSchema finds faults that the rows do not show: a view instead of a table, a trigger that
// changes later writes, an index that no longer keeps a serial number unique. Every object in the
// schema, or attached to one of its tables, must be one that the migrations create, with the same
// definition, whatever its name.
func (v *verifier) checkSchema(ctx context.Context) error {
	got, err := v.e.objects(ctx, v.conn)
	if err != nil {
		return err
	}
	want, err := v.e.expected(ctx)
	if err != nil {
		return err
	}
	v.report.compareObjects(got, want)
	return nil
}

// compareObjects reports each object that is missing, was added or was changed. Names may occur
// several times on both sides.
func (r *Report) compareObjects(got, want []object) {
	missing := map[string][]string{}
	for _, o := range want {
		missing[o.name] = append(missing[o.name], o.text)
	}
	var left []object
	for _, o := range got {
		texts := missing[o.name]
		if i := slices.Index(texts, o.text); i >= 0 {
			missing[o.name] = slices.Delete(texts, i, i+1)
		} else {
			left = append(left, o)
		}
	}
	for _, o := range left {
		name, texts := plain(o.name), missing[o.name]
		if len(texts) == 0 {
			r.add("schema", name, "it does not belong there: %s", show(o.text))
			continue
		}
		is, was := apart(o.text, texts[0])
		r.add("schema", name, "it is %s; it was made as %s", show(is), show(was))
		missing[o.name] = texts[1:]
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		for _, text := range missing[name] {
			r.add("schema", name, "it is missing: %s", show(text))
		}
	}
}

// plain returns a name, quoted if it could be misread: an attacker chooses it.
func plain(name string) string {
	odd := func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsPrint(r) }
	if strings.ContainsFunc(name, odd) {
		return strconv.QuoteToASCII(name)
	}
	return name
}

// apart cuts off most of the common prefix of two texts, so that show prints the difference.
func apart(a, b string) (string, string) {
	const kept, long = 24, 60
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	if n < long {
		return a, b
	}
	n = strings.LastIndexByte(a[:n-kept], ' ') + 1
	return "…" + a[n:], "…" + b[n:]
}

// readObjects reads names and texts.
func readObjects(ctx context.Context, conn *sql.Conn, query string) ([]object, error) {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []object
	for rows.Next() {
		var o object
		if err := rows.Scan(&o.name, &o.text); err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, rows.Err()
}

// checkVersions compares the migrations recorded in the ledger with those of the program. The
// columns id and tstamp do not matter.
func (v *verifier) checkVersions(ctx context.Context) error {
	versions, err := schemaVersions(v.e)
	if err != nil {
		return err
	}
	missing := map[int64]bool{0: true} // goose records the empty database as 0
	for _, version := range versions {
		missing[version.number] = true
	}
	rows, err := v.conn.QueryContext(ctx, "SELECT version_id, CASE WHEN is_applied = true THEN 1 ELSE 0 END FROM "+schemaTable+" ORDER BY id")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var number any
		var applied int64
		if err := rows.Scan(&number, &applied); err != nil {
			return err
		}
		n, ok := number.(int64)
		switch {
		case !ok || !missing[n]:
			v.report.add(schemaTable, plain(show(number)), "version_id: there is no such version, or it is there twice")
		case applied != 1:
			v.report.add(schemaTable, n, "is_applied says that the tables do not have this version")
		}
		delete(missing, n)
	}
	for _, n := range slices.Sorted(maps.Keys(missing)) {
		v.report.add(schemaTable, n, "it is missing")
	}
	return rows.Err()
}
