package session

import (
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText bounds what a message takes over from a server.
const maxText = 400

// oneLine makes text from outside fit for a message: no control characters, no end of line,
// valid UTF-8, of bounded length.
func oneLine(s string) string {
	if len(s) > 4*maxText {
		s = s[:4*maxText]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '?'
		case unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) || unicode.Is(unicode.Cf, r):
			return ' '
		}
		return r
	}, s)
	return brief(strings.TrimSpace(s))
}

func brief(s string) string {
	if len(s) <= maxText {
		return s
	}
	s = s[:maxText]
	for len(s) > 0 && !utf8.ValidString(s[max(0, len(s)-utf8.UTFMax):]) {
		s = s[:len(s)-1]
	}
	return s + "…"
}

// onlyWord keeps s if it is a name or an id, and returns nothing of any other text.
func onlyWord(s string) string {
	if len(s) > 128 || strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f
	}) {
		return ""
	}
	return s
}

func statusText(status int) string {
	if text := http.StatusText(status); text != "" {
		return fmt.Sprintf("%d %s", status, text)
	}
	return fmt.Sprintf("status %d", status)
}
