package main

import (
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"kedge/internal/cli"
)

// tableSample is how many rows decide how wide the columns are. What comes after may be
// wider and stands out of line: a table of a million rows is not held in memory.
const tableSample = 500

func (l listing[T]) writeTable(w io.Writer, records iter.Seq2[T, error]) error {
	t := table{w: w}
	head := make([]string, len(l.columns))
	for i, c := range l.columns {
		head[i] = strings.ToUpper(strings.ReplaceAll(c.head, "_", " "))
	}
	t.add(head)
	none := true
	for record, err := range records {
		if err != nil {
			return err
		}
		none = false
		row := make([]string, len(l.columns))
		for i, c := range l.columns {
			row[i] = cli.Printable(c.value(record))
		}
		t.add(row)
	}
	if none {
		if l.empty != nil {
			l.empty()
		}
		return nil
	}
	t.flush()
	return t.err
}

// table aligns rows in columns, two spaces apart.
type table struct {
	w      io.Writer
	sample [][]string // rows that wait until the widths are known
	widths []int
	err    error
}

func (t *table) add(row []string) {
	if t.widths != nil {
		t.print(row)
		return
	}
	if t.sample = append(t.sample, row); len(t.sample) > tableSample {
		t.flush()
	}
}

func (t *table) flush() {
	if t.widths == nil {
		for _, row := range t.sample {
			for i, cell := range row {
				if i == len(t.widths) {
					t.widths = append(t.widths, 0)
				}
				t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
	for _, row := range t.sample {
		t.print(row)
	}
	t.sample = nil
}

func (t *table) print(row []string) {
	var b strings.Builder
	for i, cell := range row {
		b.WriteString(cell)
		if i < len(row)-1 {
			b.WriteString(strings.Repeat(" ", max(t.widths[i]-utf8.RuneCountInString(cell), 0)+2))
		}
	}
	if t.err == nil {
		_, t.err = fmt.Fprintln(t.w, strings.TrimRight(b.String(), " "))
	}
}

func csvHead(head string) string { return strings.ToLower(strings.ReplaceAll(head, " ", "_")) }

// field is a line of what is shown of one record.
type field struct{ name, value string }

// writeFields writes one record for a person: a line for each field that holds something.
func writeFields(out io.Writer, fields []field) error {
	width := 0
	for _, f := range fields {
		if f.value != "" {
			width = max(width, utf8.RuneCountInString(f.name))
		}
	}
	var b strings.Builder
	for _, f := range fields {
		if f.value != "" {
			fmt.Fprintf(&b, "%-*s  %s\n", width+1, f.name+":", cli.Printable(f.value))
		}
	}
	return toOutput(out, []byte(b.String()))
}
