package emulator

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
)

// logger writes one entry per request: a line, and indented lines with details for a developer.
type logger struct {
	mu sync.Mutex
	w  io.Writer
}

// entry writes an entry in one piece. Control characters, which a client may have sent, become
// spaces: a request cannot forge an entry.
func (l *logger) entry(now time.Time, line string, details ...string) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", now.UTC().Format("15:04:05"), printable(shorten(line)))
	for _, detail := range details {
		for text := range strings.SplitSeq(detail, "\n") {
			fmt.Fprintf(&b, "    %s\n", printable(shorten(text)))
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = io.WriteString(l.w, b.String()) // a failed write is ignored
}

// shorten abbreviates long values: certificates in base64.
func shorten(s string) string {
	const most = 400
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(s[:most], ""), len(s)) // no partial character
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}

// withoutTokens removes session tokens, which are secrets, from a canonical request: the header of
// a signed request and the parameter of a presigned one.
func withoutTokens(canonical string) string {
	lines := strings.Split(canonical, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "x-amz-security-token:") {
			lines[i] = "x-amz-security-token:(hidden)"
		}
		if before, after, ok := strings.Cut(line, "X-Amz-Security-Token="); ok {
			_, rest, _ := strings.Cut(after, "&")
			lines[i] = before + "X-Amz-Security-Token=(hidden)&" + rest
		}
	}
	return strings.Join(lines, "\n")
}
