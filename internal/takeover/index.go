package takeover

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"kedge/ca"
)

// line is a line of index.txt, openssl's list of certificates: type, expiry, revocation, serial
// number, file and name, separated by tabs. openssl-ca(1) names the file; its format is that of
// apps/lib/apps.c and crypto/txt_db.
type line struct {
	status  byte // V valid, R revoked, E expired
	expires time.Time
	revoked bool      // by its status or its revocation field
	at      time.Time // of the revocation; zero if it cannot be parsed
	reason  ca.Reason
	serial  serial
	subject string
	doubt   string // which part of a revocation cannot be parsed; it counts nevertheless
}

// parseLine parses a line without its line ending.
func parseLine(text string) (l line, err error) {
	fields := splitFields(text)
	if cut := len(fields) >= 4 && fields[0] == "R"; len(fields) != 6 && !cut {
		return l, fmt.Errorf("the line has %d fields with tabs between; it must have 6: status, expiry, revocation, serial number, file, name", len(fields))
	}
	if len(fields[0]) != 1 || !strings.Contains("VRE", fields[0]) {
		return l, fmt.Errorf("the status is %.20q; it must be V, R or E", fields[0])
	}
	l.status, l.subject = fields[0][0], fields[len(fields)-1]
	if l.serial, err = parseSerial(fields[3]); err != nil {
		return l, err
	}
	l.revoked = l.status == 'R' || fields[2] != ""
	if l.expires, err = parseTime(fields[1]); err != nil {
		if !l.revoked {
			return l, fmt.Errorf("the expiry %.30q is not a time as in 301231235959Z", fields[1])
		}
		l.doubt = fmt.Sprintf("the expiry %.30q is not a time", fields[1])
	}
	if l.revoked {
		l.readRevocation(fields[2])
	}
	if len(fields) != 6 {
		l.subject, l.doubt = "", fmt.Sprintf("the line has %d fields and not 6; it is taken as revoked", len(fields))
	}
	return l, nil
}

// splitFields splits a line at its tabs. A tab inside a field is preceded by a backslash.
func splitFields(text string) []string {
	if !strings.Contains(text, "\\\t") {
		return strings.Split(text, "\t")
	}
	const inside = "\x00"
	fields := strings.Split(strings.ReplaceAll(text, "\\\t", inside), "\t")
	for i := range fields {
		fields[i] = strings.ReplaceAll(fields[i], inside, "\t")
	}
	return fields
}

// readRevocation parses TIME[,REASON[,MORE]]. The certificate is revoked even if that fails.
func (l *line) readRevocation(text string) {
	at, reason, _ := strings.Cut(text, ",")
	var err error
	if l.at, err = parseTime(at); err != nil {
		l.doubt = fmt.Sprintf("the time of the revocation, %.30q, cannot be read; it is taken as revoked now", at)
	}
	if l.reason, err = parseReason(reason); err != nil {
		l.doubt = err.Error() + "; it is taken as revoked without a reason"
	}
	if l.status != 'R' {
		l.doubt = fmt.Sprintf("the status is %c, but there is a time of revocation; it is taken as revoked", l.status)
	}
}

// parseReason parses the text after the time: a reason of RFC 5280, or one of openssl's own, which
// have an argument (openssl-ca(1), -crl_hold, -crl_compromise, -crl_CA_compromise).
func parseReason(text string) (ca.Reason, error) {
	name, argument, more := strings.Cut(text, ",")
	switch {
	case text == "":
		return ca.Unspecified, nil
	case strings.EqualFold(name, "holdInstruction"):
		return ca.CertificateHold, nil
	case strings.EqualFold(name, "keyTime"):
		return ca.KeyCompromise, nil
	case strings.EqualFold(name, "CAkeyTime"):
		return ca.CACompromise, nil
	}
	reason, err := ca.ParseReason(name)
	switch {
	case err != nil || more:
		return ca.Unspecified, fmt.Errorf("the reason %.60q is not known", strings.Join([]string{name, argument}, " "))
	case reason == ca.RemoveFromCRL:
		return ca.Unspecified, errors.New("the reason removeFromCRL is none for a certificate that is revoked")
	}
	return reason, nil
}

// parseTime parses a UTCTime or GeneralizedTime (RFC 5280, 4.1.2.5), also without seconds and with
// an offset, as older versions of openssl accept them.
func parseTime(text string) (time.Time, error) {
	digits := strings.IndexFunc(text, func(c rune) bool { return c < '0' || c > '9' })
	layout, ok := map[int]string{10: "0601021504Z0700", 12: "060102150405Z0700", 14: "20060102150405Z0700"}[digits]
	if !ok {
		return time.Time{}, errors.New("not a time")
	}
	t, err := time.Parse(layout, text)
	if err != nil {
		return t, errors.New("not a time")
	}
	if digits != 14 && t.Year() >= 2050 { // RFC 5280, 4.1.2.5.1
		t = t.AddDate(-100, 0, 0)
	}
	if t.Unix() <= 0 {
		return t, errors.New("not a time of a certificate")
	}
	return t.UTC().Truncate(time.Second), nil
}

// looksLikeIndex reports whether data is an index.txt, by its first line that is neither empty nor
// a comment.
func looksLikeIndex(data []byte) bool {
	for text := range bytes.Lines(trimBOM(data)) {
		if text = bytes.TrimRight(text, "\r\n"); len(text) > 0 && text[0] != '#' {
			return len(text) > 1 && text[1] == '\t' && bytes.IndexByte([]byte("VRE"), text[0]) >= 0
		}
	}
	return false
}

func trimBOM(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\ufeff")) }

// isIndex reports whether a file is an index.txt, by its name or its content.
func isIndex(path string, data []byte) bool {
	return filepath.Base(path) == "index.txt" || looksLikeIndex(data)
}

// readIndex adds the lines of an index.txt, and reports faulty ones.
func (r *reader) readIndex(path string, data []byte) {
	at, number := place{file: r.addFile(path)}, 0
	for text := range bytes.Lines(trimBOM(data)) {
		number++
		text = bytes.TrimRight(text, "\r\n")
		if len(text) == 0 || text[0] == '#' {
			continue
		}
		l, err := parseLine(string(text))
		if err != nil {
			r.skip(Faulty, path, number, err.Error())
			continue
		}
		at.line = int32(number)
		r.addLine(l, at)
	}
}

func (r *reader) addLine(l line, at place) {
	path := r.files[at.file]
	if earlier, ok := r.lineOf(l.serial, at.file); ok {
		r.skip(Doubt, path, int(at.line), fmt.Sprintf("the serial number %s stands on line %d too", l.serial, earlier))
	}
	switch {
	case l.revoked:
		if l.doubt != "" {
			r.skip(Doubt, path, int(at.line), fmt.Sprintf("of the certificate %s: %s", l.serial, l.doubt))
		}
		n := revocation{at: l.at.Unix(), reason: l.reason, place: at, subject: l.subject}
		if l.at.IsZero() {
			n.at = r.src.Now.Unix()
		}
		if !l.expires.IsZero() {
			n.expires = l.expires.Unix()
		}
		r.revoke(l.serial, n)
	case l.status == 'V' && l.expires.After(r.src.Now):
		r.listed[l.serial] = at
	default:
		r.expired[l.serial] = struct{}{}
	}
}

// lineOf returns the line of a serial number that the same file has already.
func (r *reader) lineOf(s serial, file int32) (int32, bool) {
	if n := r.revoked[s]; n != nil && n.place.file == file && n.place.line > 0 {
		return n.place.line, true
	}
	if l, ok := r.listed[s]; ok && l.file == file {
		return l.line, true
	}
	return 0, false
}
