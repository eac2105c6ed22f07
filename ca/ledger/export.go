package ledger

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Format is an output format of Export.
type Format string

// The formats.
const (
	JSON Format = "json"
	CSV  Format = "csv"
)

// exported is a certificate in JSON. The fields are part of schema 1.
type exported struct {
	Seq         int64      `json:"seq"`
	IssuedAt    time.Time  `json:"issued_at"`
	Kind        string     `json:"kind"`
	State       string     `json:"state"`
	Serial      string     `json:"serial"`
	Fingerprint string     `json:"fingerprint"`
	Subject     string     `json:"subject"`
	CommonName  string     `json:"common_name"`
	Issuer      string     `json:"issuer"`
	IssuerKeyID string     `json:"issuer_key_id"`
	NotBefore   time.Time  `json:"not_before"`
	NotAfter    time.Time  `json:"not_after"`
	DNS         []string   `json:"dns,omitempty"`
	URIs        []string   `json:"uri,omitempty"`
	IPs         []string   `json:"ip,omitempty"`
	Emails      []string   `json:"email,omitempty"`
	Host        string     `json:"host,omitempty"`
	Profile     string     `json:"profile,omitempty"`
	Why         string     `json:"why,omitempty"`
	Replaces    string     `json:"replaces,omitempty"`
	ReplacedBy  int64      `json:"replaced_by,omitempty"`
	RevokedAt   *time.Time `json:"revoked_at,omitempty"`
	Reason      string     `json:"reason,omitempty"`
	DER         []byte     `json:"der"`
}

// Export writes the certificates that match f one by one, in constant memory.
//
// JSON is one document, {"schema":1,"certificates":[…]}, with each certificate on a line of its
// own, so that it can be parsed as a whole and line by line; it has everything, also the
// certificate in base64. CSV has a header line, and is for people: if a cell begins with =, +, -,
// @, a tab or a carriage return, it is preceded by a ', since spreadsheets take such cells for
// formulas, and names may begin so.
func (l *Ledger) Export(ctx context.Context, w io.Writer, format Format, f Filter) error {
	b := bufio.NewWriterSize(w, 64<<10)
	var err error
	switch format {
	case JSON:
		err = l.exportJSON(ctx, b, f)
	case CSV:
		err = l.exportCSV(ctx, b, f)
	default:
		err = fmt.Errorf("there is no format %q to export in; it must be %s or %s", format, JSON, CSV)
	}
	if err != nil {
		return err
	}
	return b.Flush()
}

func (l *Ledger) exportJSON(ctx context.Context, w *bufio.Writer, f Filter) error {
	separator := "{\"schema\":1,\"certificates\":["
	for c, err := range l.List(ctx, f) {
		if err != nil {
			return err
		}
		data, err := json.Marshal(c.export(l.now()))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s\n%s", separator, data); err != nil {
			return err
		}
		separator = ","
	}
	if separator != "," {
		if _, err := w.WriteString(separator); err != nil {
			return err
		}
	}
	_, err := w.WriteString("\n]}\n")
	return err
}

func (l *Ledger) exportCSV(ctx context.Context, b *bufio.Writer, f Filter) error {
	w := csv.NewWriter(b)
	err := w.Write([]string{"seq", "issued_at", "kind", "state", "serial", "fingerprint", "subject", "common_name", "issuer", "issuer_key_id", "not_before", "not_after",
		"dns", "uri", "ip", "email", "host", "profile", "why", "replaces", "replaced_by", "revoked_at", "reason"})
	if err != nil {
		return err
	}
	for c, err := range l.List(ctx, f) {
		if err != nil {
			return err
		}
		if err := w.Write(c.export(l.now()).cells()); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// export returns the certificate with its state in words. The names of one that cannot be parsed
// are left out; Verify reports the fault.
func (c *Certificate) export(now time.Time) exported {
	e := exported{Seq: c.Seq, IssuedAt: c.IssuedAt, Kind: c.Kind, State: c.State(now), Serial: c.Serial, Fingerprint: hex.EncodeToString(c.Fingerprint),
		Subject: c.Subject, CommonName: c.CommonName, Issuer: c.Issuer, IssuerKeyID: c.IssuerKeyID, NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		Host: c.Host, Profile: c.Profile, Why: c.Why, Replaces: hex.EncodeToString(c.Replaces), ReplacedBy: c.ReplacedBy, RevokedAt: c.RevokedAt, DER: c.DER}
	if sans, err := c.SANs(); err == nil {
		e.DNS, e.URIs, e.IPs, e.Emails = sans.DNS, sans.URIs, sans.IPs, sans.Emails
	}
	if c.RevokedAt != nil {
		e.Reason = c.Reason.String()
	}
	return e
}

func (e exported) cells() []string {
	revoked, replaced := "", ""
	if e.RevokedAt != nil {
		revoked = e.RevokedAt.Format(time.RFC3339)
	}
	if e.ReplacedBy != 0 {
		replaced = strconv.FormatInt(e.ReplacedBy, 10)
	}
	cells := []string{strconv.FormatInt(e.Seq, 10), e.IssuedAt.Format(time.RFC3339), e.Kind, e.State, e.Serial, e.Fingerprint, e.Subject, e.CommonName, e.Issuer, e.IssuerKeyID,
		e.NotBefore.Format(time.RFC3339), e.NotAfter.Format(time.RFC3339), strings.Join(e.DNS, " "), strings.Join(e.URIs, " "), strings.Join(e.IPs, " "), strings.Join(e.Emails, " "),
		e.Host, e.Profile, e.Why, e.Replaces, replaced, revoked, e.Reason}
	for i, cell := range cells {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			cells[i] = "'" + cell
		}
	}
	return cells
}
