package doctor

import (
	"os"
	"strings"
	"unicode"
)

// hidden stands in the place of a secret, as in kedge config show.
const hidden = "(hidden)"

// Lengths in bytes.
const (
	keyLength = 40 // of a secret access key; from it on a text of letters and digits that stands alone is taken for a secret
	maxName   = 64 // of an IAM role, which is a part of ARNs and commands; no secret of more than keyLength is as short
	maxPart   = 24 // between the hyphens of a name that CloudFormation makes: it cuts its parts off
)

// Redact returns a text without what may be a secret in it: access keys and what looks like one, session
// tokens, tokens of enrollment, logins of URLs, and PINs. Control characters become spaces.
//
// It is the last of two guards: no check puts a secret into what it saw.
func Redact(text string) string {
	text = withoutLogins(text)
	var out strings.Builder
	for text != "" {
		n := strings.IndexFunc(text, isSeparator)
		if n < 0 {
			n = len(text)
		}
		out.WriteString(redactWord(text[:n]))
		if n < len(text) {
			out.WriteString(separator(text[n:]))
			_, rest := cutRune(text[n:])
			text = rest
			continue
		}
		text = ""
	}
	return out.String()
}

// redactLines redacts each line of a command. The lines stay apart: two of them in one would be another command.
func redactLines(command string) string {
	lines := strings.Split(command, "\n")
	for i, line := range lines {
		lines[i] = Redact(line)
	}
	return strings.Join(lines, "\n")
}

func isSeparator(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune("\"'`,;<>()[]{}?&", r)
}

// separator returns the first character of a text, as it may be shown.
func separator(text string) string {
	first, _ := cutRune(text)
	if r := []rune(first); unicode.IsControl(r[0]) || r[0] == '\u2028' || r[0] == '\u2029' {
		return " "
	}
	return first
}

func cutRune(text string) (first, rest string) {
	for i := range text {
		if i > 0 {
			return text[:i], text[i:]
		}
	}
	return text, ""
}

// withoutLogins hides the logins of URLs, whatever is in them: a user name alone can be a token. A URL that a person
// wrote can have spaces in its login, although no URL may: all up to the last @ of a line is taken for one, rather
// than too little.
func withoutLogins(text string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "://")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		out.WriteString("://")
		if at := strings.LastIndexByte(rest[:lengthOfURL(before, rest)], '@'); at >= 0 {
			out.WriteString(hidden)
			rest = rest[at:]
		}
		text = rest
	}
}

// lengthOfURL returns how much of the text after "://" can be of the URL that begins at the end of before: up to the
// quote that closes it, and else up to the next URL or the end of the line. A word is never cut.
func lengthOfURL(before, rest string) int {
	rest, _, _ = strings.Cut(rest, "\n")
	word := strings.IndexFunc(rest, unicode.IsSpace)
	if word < 0 {
		return len(rest)
	}
	end := len(rest)
	if next := nextURL(rest[word:]); next >= 0 {
		end = word + next
	}
	if closed := closingQuote(before, rest); closed >= 0 {
		end = min(end, closed)
	}
	return max(word, end)
}

// nextURL returns where the next word begins that is a URL; -1: there is none.
func nextURL(text string) int {
	for from := 0; ; {
		i := strings.Index(text[from:], "://")
		if i < 0 {
			return -1
		}
		begin := len(strings.TrimRightFunc(text[:from+i], func(r rune) bool { return !unicode.IsSpace(r) }))
		if begin > 0 && begin < from+i {
			return begin
		}
		from += i + len("://")
	}
}

// closingQuote returns where the quote ends in which a URL stands; -1: it stands in none.
func closingQuote(before, rest string) int {
	before = strings.TrimRightFunc(before, func(r rune) bool { return !isSeparator(r) })
	if before == "" || !strings.ContainsRune("\"'`", rune(before[len(before)-1])) {
		return -1
	}
	quote := before[len(before)-1]
	for i := 0; i < len(rest); i++ {
		switch {
		case strings.HasPrefix(rest[i:], `'\''`): // a quote within quotes, for a shell
			i += len(`'\''`) - 1
		case rest[i] == '\\':
			i++
		case rest[i] == quote:
			return i
		}
	}
	return -1
}

// redactWord hides the parts of a word that are secrets.
func redactWord(word string) string {
	if name, _, _ := strings.Cut(word, "="); len(name) < len(word) && strings.EqualFold(name, "pin-value") {
		return name + "=" + hidden
	}
	if before, _, found := strings.Cut(word, "kedge1_"); found {
		return redactWord(before) + hidden
	}
	var out strings.Builder
	for i := 0; i < len(word); {
		n := len(word[i:]) - len(strings.TrimLeft(word[i:], base64Letters))
		if part := word[i : i+n]; isAccessKey(part) || isKeyLike(word, i, n) {
			out.WriteString(hidden)
			i += n
			i += len(word[i:]) - len(strings.TrimLeft(word[i:], "=")) // the padding
			continue
		}
		out.WriteString(word[i:min(i+n+1, len(word))])
		i += n + 1
	}
	return out.String()
}

// base64Letters are those of both alphabets of RFC 4648.
const base64Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"

// isAccessKey: IAM User Guide, "Unique identifiers": AKIA and ASIA begin the ids of access keys. The id is
// no secret, and names whose they are: it does not belong into a report either.
func isAccessKey(text string) bool {
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune("+/-_", r) }) {
		if len(part) >= 16 && (strings.HasPrefix(part, "AKIA") || strings.HasPrefix(part, "ASIA")) && part == strings.ToUpper(part) {
			return true
		}
	}
	return false
}

// isKeyLike reports whether the n bytes at i of a word, which are letters of base64, are a secret. A secret mixes
// capital and small letters and digits. A name or path can do so too: it has hyphens, or stands in an ARN.
func isKeyLike(word string, i, n int) bool {
	text := word[i : i+n]
	if n < keyLength || !isMixed(text) {
		return false
	}
	alone := text[0] != '/' && !strings.Contains(word[:i], "arn:") && (i == 0 || word[i-1] == '=' || word[i-1] == ':')
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '-' || r == '_' }) {
		if alone && len(part) > maxPart && isMixed(part) || hasKey(part) {
			return !isPath(word)
		}
	}
	return false
}

// hasKey reports whether a path has a secret access key in it, which can have slashes itself, or a longer secret.
func hasKey(path string) bool {
	for i := range path {
		if i > 0 && path[i-1] != '/' {
			continue
		}
		if end := i + keyLength; end <= len(path) && (end == len(path) || path[end] == '/') && isMixed(path[i:end]) {
			return true
		}
		if part, _, _ := strings.Cut(path[i:], "/"); len(part) > maxName && isMixed(part) {
			return true
		}
	}
	return false
}

// isPath reports whether a word is the path of a file that there is.
func isPath(word string) bool {
	if !strings.HasPrefix(word, "/") {
		return false
	}
	_, err := os.Lstat(strings.TrimRight(word, ".:"))
	return err == nil
}

// isMixed reports whether a text has capital letters, small letters and digits.
func isMixed(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r >= 'A' && r <= 'Z' }) &&
		strings.ContainsFunc(text, func(r rune) bool { return r >= 'a' && r <= 'z' }) &&
		strings.ContainsFunc(text, func(r rune) bool { return r >= '0' && r <= '9' })
}
