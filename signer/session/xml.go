package session

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxElements bounds the tags of a document; STS writes about thirty. The time and memory of reading grow
// with its square.
const maxElements = 200

// xmlTexts returns the texts of the elements of a document by their path, such as
// "ErrorResponse>Error>Code"; of elements with one path, the last one's. It takes the XML that STS writes:
// elements with plain names, text and its entities. Attributes are left out. What else there is in XML,
// what is cut off, and what has more than maxElements is not ok.
func xmlTexts(document []byte) (texts map[string]string, ok bool) {
	texts = map[string]string{}
	rest := strings.TrimSpace(string(document))
	if strings.HasPrefix(rest, "<?xml ") {
		_, rest, _ = strings.Cut(rest, "?>")
	}
	if strings.Count(rest, "<") > maxElements {
		return nil, false
	}
	path, more := "", true
	for {
		var text, tag string
		text, rest, more = strings.Cut(rest, "<")
		text, ok = xmlText(text)
		if !ok || path == "" && strings.TrimSpace(text) != "" {
			return nil, false
		}
		if path != "" {
			texts[path] += text
		}
		if !more {
			return texts, path == "" && len(texts) > 0
		}
		if tag, rest, ok = strings.Cut(rest, ">"); !ok {
			return nil, false
		}
		if path, ok = xmlStep(texts, path, tag); !ok {
			return nil, false
		}
	}
}

// xmlStep returns the path behind a tag, and enters elements that begin into texts.
func xmlStep(texts map[string]string, path, tag string) (string, bool) {
	parent, name := "", path
	if i := strings.LastIndexByte(path, '>'); i >= 0 {
		parent, name = path[:i], path[i+1:]
	}
	if end, ok := strings.CutPrefix(tag, "/"); ok {
		return parent, path != "" && strings.TrimRight(end, " \t\r\n") == name
	}
	tag, empty := strings.CutSuffix(tag, "/")
	name, attributes := tag, ""
	if i := strings.IndexAny(tag, " \t\r\n"); i >= 0 {
		name, attributes = tag[:i], tag[i:]
	}
	// A quotation mark too few is a > in a value, or something else that STS does not write.
	if !xmlName(name) || strings.Contains(attributes, "<") || strings.Count(attributes, `"`)%2 != 0 || path == "" && len(texts) > 0 {
		return "", false
	}
	entered := name
	if path != "" {
		entered = path + ">" + name
	}
	texts[entered] = ""
	if empty {
		return path, true
	}
	return entered, true
}

func xmlName(s string) bool {
	letter := func(r rune) bool { return r|0x20 >= 'a' && r|0x20 <= 'z' }
	return s != "" && letter(rune(s[0])) && !strings.ContainsFunc(s, func(r rune) bool { return !letter(r) && (r < '0' || r > '9') })
}

// xmlText returns a text with its entities (XML 1.0, 4.6) put in and its lines ended as in 2.11.
func xmlText(s string) (string, bool) {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	var b strings.Builder
	for {
		plain, rest, more := strings.Cut(s, "&")
		b.WriteString(plain)
		if !more {
			break
		}
		entity, after, ended := strings.Cut(rest, ";")
		r, ok := xmlEntity(entity)
		if !ended || !ok {
			return "", false
		}
		b.WriteRune(r)
		s = after
	}
	text := b.String()
	return text, utf8.ValidString(text) && !strings.Contains(s, "]]>") && !strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff
	})
}

func xmlEntity(name string) (rune, bool) {
	if r, ok := map[string]rune{"lt": '<', "gt": '>', "amp": '&', "quot": '"', "apos": '\''}[name]; ok {
		return r, true
	}
	digits, numeric := strings.CutPrefix(name, "#")
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	return rune(n), numeric && err == nil && utf8.ValidRune(rune(n))
}
