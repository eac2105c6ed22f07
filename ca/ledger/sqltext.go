package ledger

import "strings"

// foldSQL returns a statement of SQLite without its comments, and with one space for white space or
// a comment. Names and values stay as they are: two statements that differ in more than their
// layout stay different.
//
// Source: SQLite, "SQL Comment Syntax"; tokenize.c, which has five characters of white space.
func foldSQL(text string) string {
	if strings.IndexByte(text, 0) >= 0 {
		return text // SQLite ends there; no statement of ours contains one
	}
	var b strings.Builder
	gap := false
	for text != "" {
		n, blank := span(text)
		if !blank {
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(text[:n])
		}
		gap, text = blank, text[n:]
	}
	return b.String()
}

// span returns the length of the first token: white space, a comment, a quoted word, or one byte of
// something else. blank reports whether it is one of the first two.
func span(text string) (n int, blank bool) {
	until := func(from int, end string) int {
		if i := strings.Index(text[from:], end); i >= 0 {
			return from + i + len(end)
		}
		return len(text)
	}
	switch c := text[0]; {
	case strings.IndexByte(" \t\n\f\r", c) >= 0:
		return 1, true
	case strings.HasPrefix(text, "--"):
		return until(2, "\n"), true
	case strings.HasPrefix(text, "/*"):
		return until(2, "*/"), true
	case c == '[':
		return until(1, "]"), false
	case strings.IndexByte("'\"`", c) >= 0:
		return until(1, text[:1]), false // a doubled quote begins the next part
	}
	return 1, false
}
