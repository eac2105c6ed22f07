package report

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

func (l Listing[T]) writeTable(w io.Writer, records iter.Seq2[T, error]) error {
	head := make([]string, len(l.Columns))
	for i, c := range l.Columns {
		head[i] = strings.ToUpper(strings.ReplaceAll(c.Head, "_", " "))
	}
	t := NewTable(w, head...)
	none := true
	for record, err := range records {
		if err != nil {
			return err
		}
		none = false
		row := make([]string, len(l.Columns))
		for i, c := range l.Columns {
			row[i] = c.Value(record)
		}
		t.Add(row...)
	}
	if none {
		if l.Empty != nil {
			l.Empty()
		}
		return nil
	}
	return t.Flush()
}

// Table aligns rows in columns, two spaces apart.
type Table struct {
	w      io.Writer
	sample [][]string // rows that wait until the widths are known
	widths []int
	err    error
}

// NewTable begins a table with its heads. Flush ends it.
func NewTable(w io.Writer, heads ...string) *Table {
	t := &Table{w: w}
	t.Add(heads...)
	return t
}

// Add adds a row. It is not changed.
func (t *Table) Add(cells ...string) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = cli.Printable(cell)
	}
	if t.widths != nil {
		t.print(row)
		return
	}
	if t.sample = append(t.sample, row); len(t.sample) > tableSample {
		t.flush()
	}
}

// Flush writes the rows that wait, and returns the first error of writing.
func (t *Table) Flush() error {
	t.flush()
	return t.err
}

func (t *Table) flush() {
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

func (t *Table) print(row []string) {
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

// Field is a line of what is shown of one record: its name, and its value.
type Field [2]string

// WriteFields writes one record for a person: a line for each field that holds something.
func WriteFields(out io.Writer, fields []Field) error {
	width := 0
	for _, f := range fields {
		if name, value := f[0], f[1]; value != "" {
			width = max(width, utf8.RuneCountInString(name))
		}
	}
	var b strings.Builder
	for _, f := range fields {
		if name, value := f[0], f[1]; value != "" {
			fmt.Fprintf(&b, "%-*s  %s\n", width+1, name+":", cli.Printable(value))
		}
	}
	return Write(out, []byte(b.String()))
}
