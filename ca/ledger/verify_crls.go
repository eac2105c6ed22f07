package ledger

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
)

// crls checks those of a page.
func (v *verifier) crls(ctx context.Context, entries []Entry, from, to int64) error {
	t := crlsTable()
	want := map[int64][]any{}
	for _, e := range entries {
		if e.Kind != kindCRL && e.Kind != kindList && e.Kind != kindTakeOver {
			continue
		}
		row, err := v.crlRow(&e)
		if row == nil && err == nil {
			continue
		}
		if err != nil {
			v.report.add("entries", e.Seq, "%v", err)
			continue
		}
		want[e.Seq] = row
	}
	err := t.rows(ctx, v.session, between+t.key, []any{from, to}, func(row []any) error {
		v.seen[t.name]++
		seq, _ := row[0].(int64)
		if want[seq] == nil {
			v.report.add(t.name, seq, "no entry records it")
			return nil
		}
		v.report.compare(t, seq, row, want[seq])
		delete(want, seq)
		return nil
	})
	for _, seq := range slices.Sorted(maps.Keys(want)) {
		v.report.add(t.name, seq, "it is missing")
	}
	return err
}

// crlRow returns the row that an entry implies, or nil.
func (v *verifier) crlRow(e *Entry) ([]any, error) {
	var list listBody
	var over takeOverBody
	var err error
	switch e.Kind {
	case kindList:
		err = e.decode(&list)
	case kindTakeOver:
		err = e.decode(&over)
		list.crlBody = over.crl(e.At)
	default:
		err = e.decode(&list.crlBody)
	}
	if err != nil || e.Kind == kindTakeOver && over.Number == 0 {
		return nil, err
	}
	body := list.crlBody
	id, err := decodeKeyID(body.Issuer)
	if err != nil {
		return nil, err
	}
	sum, err := hex.DecodeString(body.SHA256)
	if err != nil {
		return nil, fmt.Errorf("the hash of the CRL is not hexadecimal")
	}
	key := v.history.keys[string(id)]
	if body.By != "" {
		key = v.history.keyOf(body.By)
	}
	if body.Stored {
		v.lists[string(key)] = storedList{e.Seq, body.SHA256}
	}
	return []any{e.Seq, id, body.Number, body.Base, body.ThisUpdate, body.NextUpdate, body.Size, sum, body.Entries, []byte(key)}, nil
}
