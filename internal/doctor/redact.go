package doctor

import (
	"strings"
	"unicode"
)

// hidden stands in the place of a secret, as in kedge config show.
const hidden = "(hidden)"

// minKey is the length from which a text of letters and digits is taken for a secret: that of a secret
// access key. Fingerprints are longer, and are hexadecimal.
const minKey = 40

// Redact returns a text without what may be a secret in it: access keys and what looks like one, session
// tokens, tokens of enrollment, logins of URLs, and PINs. Control characters become spaces.
//
// It is the last of two guards: no check puts a secret into what it saw.
func Redact(text string) string {
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

// redactWord hides a word, or the part of it that is a secret.
func redactWord(word string) string {
	if word == "" {
		return ""
	}
	if i, at := strings.Index(word, "://"), strings.LastIndexByte(word, '@'); i >= 0 && at > i {
		return word[:i+len("://")] + hidden + word[at:] // a user name alone can be a token
	}
	name, value, assigned := strings.Cut(word, "=")
	switch {
	case assigned && (isSecret(value) || strings.EqualFold(name, "pin-value")):
		return name + "=" + hidden
	case isSecret(word):
		return hidden
	}
	return word
}

// isSecret reports whether a word has the form of a secret.
func isSecret(word string) bool {
	word = strings.TrimRight(word, ".:")
	return isAccessKey(word) || strings.HasPrefix(word, "kedge1_") || isKeyLike(word)
}

// isAccessKey: IAM User Guide, "Unique identifiers": AKIA and ASIA begin the ids of access keys. The id is
// no secret, and names whose they are: it does not belong into a report either.
func isAccessKey(word string) bool {
	if len(word) < 16 || !strings.HasPrefix(word, "AKIA") && !strings.HasPrefix(word, "ASIA") {
		return false
	}
	return !strings.ContainsFunc(word, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') })
}

// isKeyLike reports whether a word is long and mixes capital and small letters and digits, as base64 does, and
// as no path, ARN, serial number or fingerprint does without other characters between.
func isKeyLike(word string) bool {
	if len(word) < minKey || strings.HasPrefix(word, "/") {
		return false
	}
	var capital, small, digit bool
	for _, r := range word {
		switch {
		case r >= 'A' && r <= 'Z':
			capital = true
		case r >= 'a' && r <= 'z':
			small = true
		case r >= '0' && r <= '9':
			digit = true
		case !strings.ContainsRune("+/=_-", r):
			return false
		}
	}
	return capital && small && digit
}
