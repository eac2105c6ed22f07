package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// hostRow is a line of hosts.csv: what a host's certificate is to say.
type hostRow struct {
	line     int
	name     string
	host     string // the machine; the name when not given
	profile  string // empty: the default
	lifetime time.Duration
	names    altNames
}

// altNames are subject alternative names.
type altNames struct {
	dns    []string
	uris   []*url.URL
	ips    []netip.Addr
	emails []string
}

// maxHosts bounds the bytes of hosts.csv: a million hosts with long names.
const maxHosts = 256 << 20

// parseHosts reads hosts.csv: a header line with the columns name, and host, dns, uri, ip,
// email, profile and lifetime in any number and order, then a line for each host. Several
// values of dns, uri, ip and email are separated by spaces. Everything that is not understood
// is an error that says FILE:LINE.
func parseHosts(file string, in io.Reader) ([]hostRow, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxHosts+1))
	if err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch {
	case len(data) > maxHosts:
		return nil, fmt.Errorf("%s is larger than %d MiB", file, maxHosts>>20)
	case !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0:
		return nil, fmt.Errorf("%s is not UTF-8 text", file)
	}
	p := hostParser{file: file, csv: csv.NewReader(bytes.NewReader(data)), seen: map[string]int{}}
	p.csv.TrimLeadingSpace = true
	if err := p.header(); err != nil {
		return nil, err
	}
	var rows []hostRow
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
			return nil, fmt.Errorf("%s:%d: %w", file, row.line, err)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s names no host", file)
	}
	return rows, nil
}

type hostParser struct {
	file    string
	csv     *csv.Reader
	columns []string
	seen    map[string]int // names of files, with the line that makes them
}

// read returns the next line. encoding/csv checks that it has as many fields as the header.
func (p *hostParser) read() ([]string, error) {
	fields, err := p.csv.Read()
	broken, ok := errors.AsType[*csv.ParseError](err)
	switch {
	case ok && errors.Is(err, csv.ErrFieldCount):
		return nil, fmt.Errorf("%s:%d: has %d fields; the header has %d", p.file, broken.Line, len(fields), len(p.columns))
	case ok:
		return nil, fmt.Errorf("%s:%d: %w", p.file, broken.Line, broken.Err)
	}
	return fields, err
}

func (p *hostParser) header() error {
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
			return fmt.Errorf("%s:1: the column %q is none of %s", p.file, column, strings.Join(known, ", "))
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

func (p *hostParser) row(fields []string) (hostRow, error) {
	row := hostRow{}
	row.line, _ = p.csv.FieldPos(0)
	for i, column := range p.columns {
		if err := row.set(column, strings.TrimSpace(fields[i])); err != nil {
			return row, fmt.Errorf("%s: %w", column, err)
		}
	}
	if row.host == "" {
		row.host = row.name
	}
	files := strings.ToLower(fileName(row.name)) // some file systems know no case
	if files == "" {
		return row, fmt.Errorf("name: %q has nothing to call files after", row.name)
	}
	if before, ok := p.seen[files]; ok {
		return row, fmt.Errorf("name: %q is there in line %d already, or has the same file names", row.name, before)
	}
	p.seen[files] = row.line
	return row, nil
}

func (r *hostRow) set(column, value string) error {
	switch column {
	case "name":
		r.name = value
	case "host":
		r.host = value
	case "profile":
		r.profile = value
	case "lifetime":
		if value == "" {
			return nil
		}
		if err := (*lifetime)(&r.lifetime).Set(value); err != nil {
			return err
		}
		if r.lifetime <= 0 {
			return fmt.Errorf("%s is not a time to live", value)
		}
	default:
		for _, text := range strings.Fields(value) {
			if err := r.names.add(column, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// add parses a name of a kind: dns, uri, ip or email.
func (a *altNames) add(kind, text string) error {
	switch kind {
	case "dns":
		a.dns = append(a.dns, text)
	case "email":
		a.emails = append(a.emails, text)
	case "uri":
		u, err := url.Parse(text)
		if err != nil || u.Scheme == "" {
			return fmt.Errorf("%q is not a URI, such as spiffe://example.org/web", text)
		}
		a.uris = append(a.uris, u)
	case "ip":
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.Zone() != "" {
			return fmt.Errorf("%q is not an IP address", text)
		}
		a.ips = append(a.ips, ip.Unmap())
	}
	return nil
}
