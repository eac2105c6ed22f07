package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type machine struct{ Name, Serial string }

func machines() Listing[machine] {
	return Listing[machine]{
		Key:  "hosts",
		JSON: func(h machine) any { return h },
		Columns: []Column[machine]{
			{"name", func(h machine) string { return h.Name }},
			{"serial number", func(h machine) string { return h.Serial }},
		},
	}
}

func records(n int, end error) iter.Seq2[machine, error] {
	return func(yield func(machine, error) bool) {
		for i := range n {
			if !yield(machine{fmt.Sprintf("web-%d", i), strings.Repeat("f", i%3)}, nil) {
				return
			}
		}
		if end != nil {
			yield(machine{}, end)
		}
	}
}

func TestListing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		format Format
		count  int
		want   string
	}{
		{"table", Text, 3, "NAME   SERIAL NUMBER\nweb-0\nweb-1  f\nweb-2  ff\n"},
		{"csv", CSV, 2, "name,serial_number\nweb-0,\nweb-1,f\n"},
		{"json", JSON, 2, "{\n  \"schema\": 1,\n  \"hosts\": [\n    {\"Name\":\"web-0\",\"Serial\":\"\"},\n    {\"Name\":\"web-1\",\"Serial\":\"f\"}\n  ]\n}\n"},
		{"empty table", Text, 0, ""},
		{"empty csv", CSV, 0, "name,serial_number\n"},
		{"empty json", JSON, 0, "{\n  \"schema\": 1,\n  \"hosts\": []\n}\n"},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		if err := machines().Write(&out, tt.format, records(tt.count, nil)); err != nil || out.String() != tt.want {
			t.Errorf("%s: %v\n%swant:\n%s", tt.name, err, &out, tt.want)
		}
	}
}

// What does not fit in memory comes out whole; what ends in an error does not come out at all.
func TestListing_large(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	const count = 100_000
	for _, format := range []Format{Text, CSV, JSON} {
		var out bytes.Buffer
		if err := machines().Write(&out, format, records(count, nil)); err != nil {
			t.Fatal(err)
		}
		got := bytes.Count(out.Bytes(), []byte("\n")) - 1
		if format == JSON {
			var document struct {
				Schema int
				Hosts  []machine
			}
			if err := json.Unmarshal(out.Bytes(), &document); err != nil || document.Schema != 1 {
				t.Fatal(err, document.Schema)
			}
			got = len(document.Hosts)
		}
		if got != count {
			t.Errorf("%+v: %d records", format, got)
		}
		out.Reset()
		broken := errors.New("broken")
		if err := machines().Write(&out, format, records(count, broken)); !errors.Is(err, broken) || out.Len() > 0 {
			t.Errorf("%+v: %v after %d bytes", format, err, out.Len())
		}
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestListing_noTemporaryFolder(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "nowhere"))
	var out bytes.Buffer
	err := machines().Write(&out, CSV, records(200_000, nil))
	if err == nil || !strings.HasPrefix(err.Error(), "hold the output back: ") || out.Len() > 0 {
		t.Errorf("%v after %d bytes", err, out.Len())
	}
}

func TestListing_hostileNames(t *testing.T) {
	t.Parallel()
	evil := func(yield func(machine, error) bool) { yield(machine{Name: "a\x1b[2J\nb,\"c", Serial: "&<"}, nil) }
	var table, lines, doc bytes.Buffer
	for format, out := range map[Format]*bytes.Buffer{Text: &table, CSV: &lines, JSON: &doc} {
		if err := machines().Write(out, format, evil); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Count(table.String(), "\n") != 2 || strings.Contains(table.String(), "\x1b") {
		t.Errorf("table: %q", table.String())
	}
	if rows, err := csv.NewReader(&lines).ReadAll(); err != nil || len(rows) != 2 || rows[1][0] != "a\x1b[2J\nb,\"c" {
		t.Errorf("csv: %q, %v", rows, err)
	}
	if !strings.Contains(doc.String(), `"&<"`) || strings.Contains(doc.String(), "\x1b") {
		t.Errorf("json: %s", &doc)
	}
}

func TestWriteJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		v    any
		want string
	}{
		{struct {
			A string `json:"a"`
		}{"x&y"}, "{\n  \"schema\": 1,\n  \"a\": \"x&y\"\n}\n"},
		{struct{}{}, "{\n  \"schema\": 1\n}\n"},
		{[]int{1}, ""},
		{func() {}, ""},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		if err := WriteJSON(&out, tt.v); out.String() != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%T: %v, %s", tt.v, err, &out)
		}
	}
}

func TestWriteFields(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := WriteFields(&out, []Field{{"name", "web-01"}, {"host", ""}, {"valid until", "a\nb"}})
	if want := "name:         web-01\nvalid until:  a b\n"; err != nil || out.String() != want {
		t.Errorf("%v\n%s", err, &out)
	}
}

// Limit gives at most as many records as it is told, and says when there are more.
func TestLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ n, there, want, more int }{{0, 3, 3, 0}, {3, 3, 3, 0}, {2, 3, 2, 1}, {2, 0, 0, 0}} {
		got, more := 0, 0
		for _, err := range Limit(tt.n, records(tt.there, nil), func() { more++ }) {
			if err != nil {
				t.Fatal(err)
			}
			got++
		}
		if got != tt.want || more != tt.more {
			t.Errorf("%d of %d: %d, and %d times more", tt.n, tt.there, got, more)
		}
	}
}

// TestListing_formulas: what a spreadsheet would run is text in CSV, and quotes, commas and line ends
// stay in their cell.
func TestListing_formulas(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"web-01": "web-01", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\tx": "'\tx", "\r=x": "'\r=x", "a=b": "a=b",
		`a"b`: `a"b`, "a,b": "a,b", "a\nb": "a\nb", `=cmd|'/c calc'!A1,"x"`: `'=cmd|'/c calc'!A1,"x"`, "": "",
	} {
		var out strings.Builder
		err := machines().Write(&out, CSV, func(yield func(machine, error) bool) { yield(machine{Name: value, Serial: "1"}, nil) })
		lines, err2 := csv.NewReader(strings.NewReader(out.String())).ReadAll()
		if err := errors.Join(err, err2); err != nil || len(lines) != 2 || lines[1][0] != want || lines[1][1] != "1" {
			t.Errorf("%q: %q, %v", value, lines, err)
		}
	}
}

// TestEach: what is left out does not end the list, and an error does.
func TestEach(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	records := func(yield func(int, error) bool) {
		for n := range 6 {
			var err error
			if n == 4 {
				n, err = 0, broken
			}
			if !yield(n, err) {
				return
			}
		}
	}
	even := Each(records, func(n int) (string, bool) { return strconv.Itoa(n), n%2 == 0 })
	var got []string
	var last error
	for text, err := range even {
		got, last = append(got, text), err
	}
	if want := []string{"0", "2", ""}; !slices.Equal(got, want) || last != broken {
		t.Errorf("%q, %v", got, last)
	}
	for text := range even { // a reader that ends early
		if text == "2" {
			break
		}
	}
}
