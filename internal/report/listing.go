// Package report writes the results of commands: as JSON documents with a schema number, as CSV, as
// tables, and as lines of one record. Lists are streamed, and reach the output when the last record
// was read without error: on failure it gets nothing. What a table shows cannot drive a terminal.
package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"
)

// schema is the number in every JSON document. It grows when a field changes its meaning or
// goes; new fields do not change it.
const schema = 1

// Format is how results are written. The zero value is Text.
type Format int

// The formats of results.
const (
	Text Format = iota // for people: tables, and lines of "name: value"
	JSON               // one document
	CSV                // a line of heads, and one for each record (RFC 4180)
)

// WriteJSON writes v, which must marshal to an object, with "schema" as its first member.
func WriteJSON(out io.Writer, v any) error {
	body, err := encodeJSON(v)
	if err != nil {
		return err
	}
	if len(body) < 2 || body[0] != '{' {
		return fmt.Errorf("the JSON of a %T is not an object", v)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"schema":%d`, schema)
	if len(body) > 2 {
		b.WriteByte(',')
	}
	b.Write(body[1:])
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, b.Bytes(), "", "  "); err != nil {
		return err
	}
	pretty.WriteByte('\n')
	return Write(out, pretty.Bytes())
}

// encodeJSON encodes v on one line, and leaves &, < and > alone: names hold them, and no browser reads this.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Write writes what is not of this package to standard output, which its error names.
func Write(out io.Writer, data []byte) error {
	if _, err := out.Write(data); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// Time is how results show a point in time: RFC 3339, in UTC.
func Time(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// Column is one of a table.
type Column[T any] struct {
	Head  string // upper case in a table, lower case with underscores in CSV: "not after"
	Value func(T) string
}

// Listing specifies how records of one kind are written.
type Listing[T any] struct {
	Head    any         // marshals to an object with members to come first in the JSON document; may be nil
	Key     string      // the member of the JSON document that holds the records
	JSON    func(T) any // what of a record goes there
	Columns []Column[T] // of a table
	CSV     []Column[T] // of CSV; the table's when there are none
	Empty   func()      // called for a table without records, to say so; may be nil
}

// Write streams records to out, which gets nothing before the last of them was read without
// error. Memory does not grow with their number.
func (l Listing[T]) Write(out io.Writer, f Format, records iter.Seq2[T, error]) error {
	write := l.writeTable
	switch f {
	case JSON:
		write = l.writeJSON
	case CSV:
		write = l.writeCSV
	}
	return WhenWhole(out, func(w io.Writer) error { return write(w, records) })
}

// Limit ends records after n of them, all when n is 0, and calls more, once, if there are more.
func Limit[T any](n int, records iter.Seq2[T, error], more func()) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		taken := 0
		for record, err := range records {
			if err == nil && n > 0 && taken == n {
				more()
				return
			}
			if taken++; !yield(record, err) {
				return
			}
		}
	}
}

// Each describes records one by one, without those for which describe returns false. It yields the first
// error and ends.
func Each[A, B any](records iter.Seq2[A, error], describe func(A) (B, bool)) iter.Seq2[B, error] {
	return func(yield func(B, error) bool) {
		for record, err := range records {
			if err != nil {
				var none B
				yield(none, err)
				return
			}
			if d, ok := describe(record); ok && !yield(d, nil) {
				return
			}
		}
	}
}

func (l Listing[T]) writeJSON(w io.Writer, records iter.Seq2[T, error]) error {
	fmt.Fprintf(w, "{\n  \"schema\": %d,\n", schema)
	if l.Head != nil {
		head, err := encodeJSON(l.Head)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  %s,\n", head[1:len(head)-1])
	}
	fmt.Fprintf(w, "  %q: [", l.Key)
	between := "\n    "
	for record, err := range records {
		if err != nil {
			return err
		}
		body, err := encodeJSON(l.JSON(record))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s%s", between, body); err != nil {
			return err
		}
		between = ",\n    "
	}
	end := "\n  ]\n}\n"
	if between == "\n    " {
		end = "]\n}\n"
	}
	_, err := io.WriteString(w, end)
	return err
}

func (l Listing[T]) writeCSV(w io.Writer, records iter.Seq2[T, error]) error {
	columns := l.CSV
	if columns == nil {
		columns = l.Columns
	}
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = csvHead(c.Head)
	}
	lines := csv.NewWriter(w)
	err := lines.Write(row)
	for record, readErr := range records {
		if err = errors.Join(err, readErr); err != nil {
			return err
		}
		for i, c := range columns {
			row[i] = csvCell(c.Value(record))
		}
		err = lines.Write(row)
	}
	lines.Flush()
	return errors.Join(err, lines.Error())
}

// csvCell returns a value as it is written in CSV: one that a spreadsheet would take for a formula is
// preceded by a '. Names of hosts may begin so.
func csvCell(value string) string {
	if value != "" && strings.ContainsRune("=+-@\t\r", rune(value[0])) {
		return "'" + value
	}
	return value
}
