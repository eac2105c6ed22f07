package takeover

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kedge/ca"
)

// TestParseLine: lines as written, and as edited by people.
func TestParseLine(t *testing.T) {
	const later, before = "301231235959Z", "260101000000Z"
	tests := []struct {
		text string
		want string // "STATUS SERIAL [REASON TIME]", or the error
	}{
		{"V\t" + later + "\t\t1000\tunknown\t/CN=a", "V 1000"},
		{"E\t" + before + "\t\t0F\tunknown\t/CN=a", "E 0F"},
		{"V\t20501231235959Z\t\t1000\t\t", "V 1000"},
		{"V\t" + later + "\t\t1000\tunknown\t/CN=a\\\tb", "V 1000"},
		{"V\t3012312359Z\t\t1000\tunknown\t/CN=a", "V 1000"},
		{"R\t" + later + "\t" + before + "\t1001\tunknown\t/CN=a", "R 1001 unspecified 2026-01-01T00:00:00Z"},
		{"R\t" + later + "\t" + before + ",keyCompromise\t1001\tunknown\t/CN=a", "R 1001 key-compromise 2026-01-01T00:00:00Z"},
		{"R\t" + later + "\t" + before + ",CACompromise\t1001\tunknown\t/CN=a", "R 1001 ca-compromise 2026-01-01T00:00:00Z"},
		{"R\t" + later + "\t" + before + ",holdInstruction,1.2.840.10040.2.2\t1001\tunknown\t/CN=a", "R 1001 certificate-hold 2026-01-01T00:00:00Z"},
		{"R\t" + later + "\t" + before + ",keyTime,20251224000000Z\t1001\tunknown\t/CN=a", "R 1001 key-compromise 2026-01-01T00:00:00Z"},
		{"R\t" + later + "\t" + before + ",CAkeyTime,20251224000000Z\t1001\tunknown\t/CN=a", "R 1001 ca-compromise 2026-01-01T00:00:00Z"},
		{"R\t" + later + "\t20260101010000+0100\t1001\tunknown\t/CN=a", "R 1001 unspecified 2026-01-01T00:00:00Z"},
		{"R\t500101000000Z\t990101000000Z\t1001\tunknown\t/CN=a", "R 1001 unspecified 1999-01-01T00:00:00Z doubt: the expiry \"500101000000Z\" is not a time"},
		// A malformed revocation is a revocation nevertheless.
		{"R\t" + later + "\t\t1001\tunknown\t/CN=a", "R 1001 unspecified - doubt: the time of the revocation, \"\", cannot be read"},
		{"R\t" + later + "\t" + before + ",removeFromCRL\t1001\tunknown\t/CN=a", "R 1001 unspecified 2026-01-01T00:00:00Z doubt: the reason removeFromCRL is none"},
		{"R\t" + later + "\t" + before + ",stolen\t1001\tunknown\t/CN=a", "R 1001 unspecified 2026-01-01T00:00:00Z doubt: the reason \"stolen \" is not known"},
		{"R\t" + later + "\t" + before + ",keyCompromise,x\t1001\tunknown\t/CN=a", "doubt: the reason \"keyCompromise x\" is not known"},
		{"R\tnever\t" + before + "\t1001\tunknown\t/CN=a", "doubt: the expiry \"never\" is not a time"},
		{"V\t" + later + "\t" + before + "\t1001\tunknown\t/CN=a", "V 1001 unspecified 2026-01-01T00:00:00Z doubt: the status is V, but there is a time of revocation"},
		{"R\t" + later + "\t" + before + "\t1001\tunknown", "R 1001 unspecified 2026-01-01T00:00:00Z doubt: the line has 5 fields"},
		// Other malformed lines are refused.
		{"V " + later + " 1000 unknown /CN=a", "the line has 1 fields"},
		{"V\t" + later + "\t\t1000\tunknown\t/CN=a\tmore", "the line has 7 fields"},
		{"S\t" + later + "\t\t1000\tunknown\t/CN=a", `the status is "S"`},
		{"\t" + later + "\t\t1000\tunknown\t/CN=a", `the status is ""`},
		{"VR\t" + later + "\t\t1000\tunknown\t/CN=a", `the status is "VR"`},
		{"V\t\t\t1000\tunknown\t/CN=a", `the expiry "" is not a time`},
		{"V\t301331000000Z\t\t1000\tunknown\t/CN=a", `the expiry "301331000000Z" is not a time`},
		{"V\t" + later + "\t\t\tunknown\t/CN=a", "there is no serial number"},
		{"V\t" + later + "\t\t10x0\tunknown\t/CN=a", `the serial number "10x0" is not hexadecimal`},
		{"V\t" + later + "\t\t-01\tunknown\t/CN=a", `the serial number "-01" is not hexadecimal`},
		{"V\t" + later + "\t\t00\tunknown\t/CN=a", "only positive ones can be on a CRL"},
		{"R\t" + later + "\t" + before + "\t80" + strings.Repeat("00", 19) + "\tunknown\t/CN=a", "the serial number takes 21 bytes"},
		{"R\t" + later + "\t" + before + "\t" + strings.Repeat("1", 10000) + "\tunknown\t/CN=a", "the serial number has 10000 digits"},
	}
	for _, tt := range tests {
		l, err := parseLine(tt.text)
		got := describeLine(l)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tt.want) || !strings.Contains(tt.want, "doubt") && strings.Contains(got, "doubt") {
			t.Errorf("%.100q\ngot  %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

func describeLine(l line) string {
	text := fmt.Sprintf("%c %s", l.status, l.serial)
	if l.revoked {
		at := "-"
		if !l.at.IsZero() {
			at = l.at.Format(time.RFC3339)
		}
		text += fmt.Sprintf(" %s %s", l.reason, at)
	}
	if l.doubt != "" {
		text += " doubt: " + l.doubt
	}
	return text
}

// TestRead_faultyIndex: faulty lines are reported and stop nothing; the line ends, BOM and comments
// of editors are no faults.
func TestRead_faultyIndex(t *testing.T) {
	c := newTestCA(t)
	dir := t.TempDir()
	lines := []string{
		"# our CA",
		"R\t301231235959Z\t260101000000Z,keyCompromise\t0A\tunknown\t/CN=a",
		"",
		"nonsense",
		"R\t301231235959Z\tnever,superseded\t0B\tunknown\t/CN=b",
		"R\t301231235959Z\t260301000000Z,superseded\t0A\tunknown\t/CN=a",
		"E\t200101000000Z\t\t0C\tunknown\t/CN=c",
		"V\t200101000000Z\t\t0D\tunknown\t/CN=d",
	}
	writeFiles(t, dir, map[string]string{"index.txt": "\ufeff" + strings.Join(lines, "\r\n")})
	items, sum := read(t, Sources{CA: certs(c.cert), Paths: []string{dir}, Now: c.now})
	if len(items) != 2 || sum.SerialsOnly != 2 || sum.Forgotten != 2 {
		t.Fatalf("%q, %+v", describe(items), sum)
	}
	a, b := items[0], items[1]
	if a.Revoked.Reason != ca.KeyCompromise || a.Revoked.At.Format(time.DateOnly) != "2026-01-01" || a.Subject != "/CN=a" || a.NotAfter.Year() != 2030 {
		t.Errorf("a: %+v, %+v", a, a.Revoked)
	}
	if b.Revoked.Reason != ca.Superseded || !b.Revoked.At.Equal(c.now) || !strings.HasSuffix(b.From, "index.txt:5") {
		t.Errorf("b: %+v, %+v", b, b.Revoked)
	}
	if len(sum.Skipped) != 1 || sum.Skipped[0].Line != 4 || sum.Skipped[0].Kind != Faulty {
		t.Errorf("skipped %v", sum.Skipped)
	}
	wantNamed(t, sum.Notes, "index.txt:5: of the certificate 0B: the time of the revocation", "index.txt:6: the serial number 0A stands on line 2 too", "index.txt:6: the certificate 0A is revoked here at 2026-03-01T00:00:00Z (superseded)")
}

// wantNamed checks that each text is in one of the findings, and that there are no others.
func wantNamed(t *testing.T, got []Skipped, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d are named, want %d: %v", len(got), len(want), got)
		return
	}
	for i, s := range got {
		if !strings.Contains(s.String(), want[i]) {
			t.Errorf("got  %s\nwant %s", s, want[i])
		}
	}
}

// FuzzParseLine: no line is a revocation by its first letter and is taken for none, and what
// is read is within bounds.
func FuzzParseLine(f *testing.F) {
	f.Add("V\t301231235959Z\t\t1000\tunknown\t/CN=a")
	f.Add("R\t301231235959Z\t260101000000Z,keyCompromise\t1001\tunknown\t/CN=a")
	f.Add("R\t301231235959Z\t260101000000Z,holdInstruction,1.2.3\t01\tunknown\t/CN=a\\\tb")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parseLine(text)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of several lines: %q", err)
			}
			return
		}
		if (l.status == 'R') != strings.HasPrefix(text, "R\t") || l.status == 'R' && !l.revoked {
			t.Errorf("%q: status %c, revoked %v", text, l.status, l.revoked)
		}
		if l.revoked && (l.reason == ca.RemoveFromCRL || l.at.IsZero() && l.doubt == "") {
			t.Errorf("%q: %+v", text, l)
		}
		if again, err := parseSerial(l.serial.String()); err != nil || again != l.serial {
			t.Errorf("the serial number %s is read again as %s: %v", l.serial, again, err)
		}
	})
}
