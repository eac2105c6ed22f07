package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/spf13/cobra"
)

// schema is the number in every JSON document. It grows when a field changes its meaning or
// goes; new fields do not change it.
const schema = 1

// outputFlags say how results are written to standard output.
type outputFlags struct{ json, csv bool }

// add is for commands whose result is one document.
func (f *outputFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.json, "json", false, "write a JSON document to standard output")
}

// addList is for commands that list records.
func (f *outputFlags) addList(cmd *cobra.Command) {
	f.add(cmd)
	cmd.Flags().BoolVar(&f.csv, "csv", false, "write comma-separated values with a header line to standard output")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
}

// writeJSON writes v, which must marshal to an object, with "schema" as its first member.
func writeJSON(out io.Writer, v any) error {
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
	return toOutput(out, pretty.Bytes())
}

// encodeJSON leaves &, < and > alone: names hold them, and no browser reads this.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func toOutput(out io.Writer, data []byte) error {
	if _, err := out.Write(data); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// column is one of a table.
type column[T any] struct {
	head  string // upper case in a table, lower case with underscores in CSV: "not after"
	value func(T) string
}

// listing says how records of one kind are written.
type listing[T any] struct {
	head    any         // marshals to an object with members to come first in the JSON document; may be nil
	key     string      // the member of the JSON document that holds the records
	json    func(T) any // what of a record goes there
	columns []column[T] // of a table
	csv     []column[T] // of CSV; the table's when there are none
	empty   func()      // called for a table without records, to say so; may be nil
}

// write streams records to out, which gets nothing before the last of them was read without
// error. Memory does not grow with their number.
func (l listing[T]) write(out io.Writer, f outputFlags, records iter.Seq2[T, error]) error {
	s := &spool{}
	defer s.discard()
	var err error
	switch {
	case f.json:
		err = l.writeJSON(s, records)
	case f.csv:
		err = l.writeCSV(s, records)
	default:
		err = l.writeTable(s, records)
	}
	if err != nil {
		return err
	}
	return s.copyTo(out)
}

func (l listing[T]) writeJSON(w io.Writer, records iter.Seq2[T, error]) error {
	fmt.Fprintf(w, "{\n  \"schema\": %d,\n", schema)
	if l.head != nil {
		head, err := encodeJSON(l.head)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  %s,\n", head[1:len(head)-1])
	}
	fmt.Fprintf(w, "  %q: [", l.key)
	between := "\n    "
	for record, err := range records {
		if err != nil {
			return err
		}
		body, err := encodeJSON(l.json(record))
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

func (l listing[T]) writeCSV(w io.Writer, records iter.Seq2[T, error]) error {
	columns := l.csv
	if columns == nil {
		columns = l.columns
	}
	row := make([]string, len(columns))
	for i, c := range columns {
		row[i] = csvHead(c.head)
	}
	lines := csv.NewWriter(w)
	err := lines.Write(row)
	for record, readErr := range records {
		if err = errors.Join(err, readErr); err != nil {
			return err
		}
		for i, c := range columns {
			row[i] = c.value(record)
		}
		err = lines.Write(row)
	}
	lines.Flush()
	return errors.Join(err, lines.Error())
}
