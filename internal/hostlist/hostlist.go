// Package hostlist reads lists of hosts that need certificates.
package hostlist

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kedge/ca"
	"kedge/internal/dn"
)

// Row is a line of hosts.csv: the contents of a host's certificate.
type Row struct {
	File     string // as Parse got it
	Line     int
	Name     string
	Host     string        // the machine; Name if empty
	Profile  string        // empty: the default
	Lifetime time.Duration // 0: the profile's default
	Names    Names
}

// Where returns FILE:LINE.
func (r *Row) Where() string { return fmt.Sprintf("%s:%d", r.File, r.Line) }

// Names are subject alternative names.
type Names struct {
	DNS    []string
	URIs   []*url.URL
	IPs    []netip.Addr
	Emails []string
}

// maxFile bounds the bytes of hosts.csv: a million hosts with long names.
const maxFile = 256 << 20

// Parse reads hosts.csv: a header line with the columns name, and host, dns, uri, ip, email,
// profile and lifetime in any number and order, then a line for each host. Several values of dns,
// uri, ip and email are separated by spaces. Anything else is an error that begins with FILE:LINE,
// with file as FILE.
func Parse(file string, in io.Reader) ([]Row, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch {
	case len(data) > maxFile:
		return nil, fmt.Errorf("%s is larger than %d MiB", file, maxFile>>20)
	case !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0:
		return nil, fmt.Errorf("%s is not UTF-8 text", file)
	}
	p := parser{file: file, csv: csv.NewReader(bytes.NewReader(data)), seen: map[string]int{}}
	p.csv.TrimLeadingSpace = true
	if err := p.header(); err != nil {
		return nil, err
	}
	var rows []Row
	for {
		fields, err := p.read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		row, err := p.row(fields)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", row.Where(), err)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s names no host", file)
	}
	return rows, nil
}

type parser struct {
	file    string
	csv     *csv.Reader
	columns []string
	seen    map[string]int // file names, with the line that results in each
}

// read returns the next line. encoding/csv checks that it has as many fields as the header.
func (p *parser) read() ([]string, error) {
	fields, err := p.csv.Read()
	broken, ok := errors.AsType[*csv.ParseError](err)
	switch {
	case ok && errors.Is(err, csv.ErrFieldCount):
		return nil, fmt.Errorf("%s:%d: has %d fields; the header has %d", p.file, broken.Line, len(fields), len(p.columns))
	case ok: // of csv.ErrQuote and csv.ErrBareQuote
		return nil, fmt.Errorf("%s:%d: a quotation mark is missing, or one is too many", p.file, broken.Line)
	}
	return fields, err
}

func (p *parser) header() error {
	columns, err := p.read()
	if err == io.EOF {
		return fmt.Errorf("%s is empty; its first line must name the columns, such as name,host,dns", p.file)
	}
	if err != nil {
		return err
	}
	known := []string{"name", "host", "dns", "uri", "ip", "email", "profile", "lifetime"}
	for i, column := range columns {
		column = strings.ToLower(strings.TrimSpace(column))
		switch {
		case !slices.Contains(known, column):
			return fmt.Errorf("%s:1: the first line must name the columns, such as name,host,dns: %q is none of %s", p.file, column, strings.Join(known, ", "))
		case slices.Contains(p.columns, column):
			return fmt.Errorf("%s:1: the column %q is there twice", p.file, column)
		}
		p.columns = append(p.columns, column)
		columns[i] = column
	}
	if !slices.Contains(p.columns, "name") {
		return fmt.Errorf("%s:1: the column \"name\" is missing", p.file)
	}
	return nil
}

func (p *parser) row(fields []string) (Row, error) {
	row := Row{File: p.file}
	row.Line, _ = p.csv.FieldPos(0)
	for i, column := range p.columns {
		if err := row.set(column, strings.TrimSpace(fields[i])); err != nil {
			return row, fmt.Errorf("%s: %w", column, err)
		}
	}
	if row.Host == "" {
		row.Host = row.Name
	}
	files := strings.ToLower(dn.FileName(row.Name)) // some file systems ignore case
	if files == "" {
		return row, fmt.Errorf("name: %q has nothing to call files after", row.Name)
	}
	if before, ok := p.seen[files]; ok {
		return row, fmt.Errorf("name: %q is there in line %d already, or has the same file names", row.Name, before)
	}
	p.seen[files] = row.Line
	return row, nil
}

func (r *Row) set(column, value string) error {
	switch column {
	case "name":
		r.Name = value
	case "host":
		r.Host = value
	case "profile":
		r.Profile = value
	case "lifetime":
		if value == "" {
			return nil
		}
		d, err := ParseLifetime(value)
		if err != nil {
			return err
		}
		r.Lifetime = d
		if r.Lifetime <= 0 {
			return fmt.Errorf("%s is not a time to live", value)
		}
	default:
		for _, text := range strings.Fields(value) {
			if err := r.Names.Add(column, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// Add parses a name of a kind: dns, uri, ip or email. The text of an error begins with the name.
func (a *Names) Add(kind, text string) error {
	switch kind {
	case "dns":
		a.DNS = append(a.DNS, text)
	case "email":
		a.Emails = append(a.Emails, text)
	case "uri":
		u, err := url.Parse(text)
		if err != nil || u.Scheme == "" {
			return fmt.Errorf("%q is not a URI, such as spiffe://example.org/web", text)
		}
		a.URIs = append(a.URIs, u)
	case "ip":
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.Zone() != "" {
			return fmt.Errorf("%q is not an IP address", text)
		}
		a.IPs = append(a.IPs, ip.Unmap())
	}
	return nil
}

// ParseLifetime parses the lifetime of a certificate: a duration of Go, or days.
func ParseLifetime(text string) (time.Duration, error) {
	d, err := ca.ParseDuration(text)
	if err == nil {
		return d, nil
	}
	if _, err := strconv.ParseUint(text, 10, 16); err == nil {
		return 0, fmt.Errorf("it has no unit; write %sh for hours", text)
	}
	return 0, errors.New("write hours or days, such as 12h or 30d")
}
