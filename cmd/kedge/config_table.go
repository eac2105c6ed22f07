package main

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"kedge/internal/cli"
)

// maxColumns is the width of the table of settings. Only a value that is longer by itself exceeds it.
const maxColumns = 100

// settingsTable returns a line for each setting: its name, where it comes from, and its values. Values that do not
// fit on the line follow below it, indented, each on a line of its own.
func settingsTable(file, profile string, all []setting) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "configuration  %s\n", cli.Printable(cmp.Or(file, "none")))
	if profile != "" {
		fmt.Fprintf(&b, "profile        %s\n", cli.Printable(profile))
	}
	b.WriteString("\n")
	names, places := 0, 0
	for _, s := range all {
		names, places = max(names, utf8.RuneCountInString(s.Name)), max(places, utf8.RuneCountInString(s.place(file)))
	}
	for _, s := range all {
		values := s.printable()
		start := fmt.Sprintf("%-*s  %-*s", names, s.Name, places, s.place(file))
		if line := start + "  " + strings.Join(values, ", "); utf8.RuneCountInString(line) <= maxColumns {
			b.WriteString(line + "\n")
			continue
		}
		b.WriteString(strings.TrimRight(start, " ") + "\n")
		for _, value := range values {
			b.WriteString("    " + value + "\n")
		}
	}
	return []byte(b.String())
}

// printable returns the values, "-" if there is none.
func (s setting) printable() []string {
	var values []string
	for _, value := range s.Values {
		values = append(values, cli.Printable(value))
	}
	if values == nil {
		values = []string{cmp.Or(cli.Printable(s.Value), "-")}
	}
	return values
}

// place returns where the setting comes from; the file, which is above the table, is left out.
func (s setting) place(file string) string {
	if s.Source == "default" {
		return "default"
	}
	if line, ok := strings.CutPrefix(s.From, file+":"); ok && s.Source == "file" {
		return "line " + line
	}
	return cli.Printable(strings.TrimPrefix(s.Source+" ", "file ") + s.From)
}
