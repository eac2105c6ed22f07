package cache

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// A file has lines of a name and a quoted value, in this order. That is not JSON because an SDK
// waits for the program that reads it: encoding/json would be a third of its own time.
const header = "kedge cache 1\n"

// line is a line of the file: its name, and the field that holds its value.
type line struct {
	name  string
	value *string
}

func (k *Key) lines() []line {
	return []line{
		{"endpoint", &k.Endpoint},
		{"region", &k.Region},
		{"variant", &k.Variant},
		{"trust-anchor", &k.TrustAnchorARN},
		{"profile", &k.ProfileARN},
		{"role", &k.RoleARN},
		{"session-name", &k.SessionName},
		{"duration", &k.Duration},
		{"certificate", &k.Certificate},
		{"final", &k.Final},
	}
}

const more = "more" // follows lines, once for each value of Key.More

func (k *Key) appendTo(data []byte) []byte {
	for _, l := range k.lines() {
		data = appendLine(data, l.name, *l.value)
	}
	for _, value := range k.More {
		data = appendLine(data, more, value)
	}
	return data
}

func appendLine(data []byte, name, value string) []byte {
	data = append(append(data, name...), ' ')
	return append(strconv.AppendQuote(data, value), '\n')
}

// timestamps are the times of an entry, formatted.
type timestamps struct{ renewed, expires, tried string }

func (e *entry) lines(t *timestamps) []line {
	return []line{
		{"renewed", &t.renewed},
		{"expires", &t.expires},
		{"tried", &t.tried},
		{"access-key-id", &e.AccessKeyID},
		{"secret-access-key", &e.SecretAccessKey},
		{"session-token", &e.SessionToken},
		{"account-id", &e.AccountID},
		{"source", &e.Source},
	}
}

func (e *entry) format() []byte {
	t := timestamps{stamp(e.Renewed), stamp(e.Expires), ""}
	if !e.Tried.IsZero() {
		t.tried = stamp(e.Tried)
	}
	data := e.Key.appendTo([]byte(header))
	for _, l := range e.lines(&t) {
		data = appendLine(data, l.name, *l.value)
	}
	return data
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// parse accepts only what format writes. It returns no error text, since the data may hold secrets.
func parse(data []byte) (*entry, bool) {
	rest, ok := strings.CutPrefix(string(data), header)
	if !ok {
		return nil, false
	}
	e, t := &entry{}, timestamps{}
	all := append(e.Key.lines(), e.lines(&t)...)
	for text := range strings.Lines(rest) {
		name, quoted, _ := strings.Cut(strings.TrimSuffix(text, "\n"), " ")
		value, err := strconv.Unquote(quoted)
		switch {
		case err != nil:
			return nil, false
		case name == more:
			e.Key.More = append(e.Key.More, value)
		case len(all) == 0 || all[0].name != name:
			return nil, false
		default:
			*all[0].value = value
			all = all[1:]
		}
	}
	if len(all) > 0 || !e.parseTimes(t) || e.AccessKeyID == "" || e.SecretAccessKey == "" || e.SessionToken == "" {
		return nil, false
	}
	return e, bytes.Equal(e.format(), data)
}

func (e *entry) parseTimes(t timestamps) bool {
	for _, moment := range []struct {
		text string
		at   *time.Time
	}{{t.renewed, &e.Renewed}, {t.expires, &e.Expires}, {t.tried, &e.Tried}} {
		if moment.text == "" && moment.at == &e.Tried {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, moment.text)
		if err != nil {
			return false
		}
		*moment.at = at
	}
	return e.Renewed.Before(e.Expires)
}
