package cloudtrail

import (
	"bufio"
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"io"
	"syscall"
)

// About the most bytes of one event, which CloudTrail limits to 256 KB (1 MB with what is added to it), and of the head of a
// file, by which its form is recognized.
const (
	maxEvent = 2 << 20
	maxHead  = 4 << 10
)

// DamagedError reports what cannot be read as an event.
type DamagedError struct {
	Path    string
	Line    int    // of a file with one event a line; 0 for others
	Event   int    // its place in a file of another form, from 1; 0 for lines
	Problem string // the rest of a sentence
	Rest    bool   // the rest of the file was not read
}

func (e *DamagedError) Error() string {
	where := fmt.Sprintf("%s: line %d", e.Path, e.Line)
	if e.Line == 0 {
		where = fmt.Sprintf("%s: event %d", e.Path, e.Event)
	}
	if e.Rest {
		return where + " " + e.Problem + "; the rest of the file was not read"
	}
	return where + " " + e.Problem
}

var errTooLarge = fmt.Errorf("has more than %d KiB", maxEvent>>10)

// scanner calls yield with the events of a file, until it returns false, and broken with what is none. Its methods
// return whether to go on.
type scanner struct {
	path   string
	yield  func(Event) bool
	broken func(*DamagedError)
	count  int // of events, good or not
}

// scan reads a file of any form.
func (s *scanner) scan(from io.Reader) bool {
	in := bufio.NewReaderSize(from, 64<<10)
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3)
	}
	head, _ := in.Peek(maxHead)
	if isDocument(head) {
		return s.document(in)
	}
	return s.lines(in)
}

// isDocument reports whether a file is one JSON value that spans lines or has its events in a list, and not an event
// a line.
func isDocument(head []byte) bool {
	line, _, _ := bytes.Cut(bytes.TrimLeft(head, " \t\r\n"), []byte("\n"))
	line = bytes.TrimSpace(line)
	if bytes.Equal(line, []byte("{")) || bytes.HasPrefix(line, []byte("[")) {
		return true
	}
	d := jsontext.NewDecoder(bytes.NewReader(line))
	if d.PeekKind() != '{' {
		return false
	}
	_, _ = d.ReadToken()
	name, err := d.ReadToken()
	return err == nil && name.Kind() == '"' && isList(name.String())
}

// isList reports whether a member has the events: Records in files, Events in the answer of lookup-events.
func isList(member string) bool { return member == "Records" || member == "Events" }

// lines reads an event a line. Empty lines are none.
func (s *scanner) lines(in *bufio.Reader) bool {
	for number := 1; ; number++ {
		line, err := readLine(in)
		var event Event
		switch {
		case errors.Is(err, errTooLarge):
			s.broken(&DamagedError{Path: s.path, Line: number, Problem: err.Error()})
			continue
		case err != nil && err != io.EOF:
			s.broken(&DamagedError{Path: s.path, Line: number, Problem: problem(err), Rest: true})
			return true
		}
		end := err == io.EOF
		if len(bytes.TrimSpace(line)) > 0 {
			if event, err = parse(line); err != nil {
				s.broken(&DamagedError{Path: s.path, Line: number, Problem: err.Error()})
			} else if !s.yield(event) {
				return false
			}
		}
		if end {
			return true
		}
	}
}

// readLine reads a line of at most maxEvent bytes; of a longer one it reads to its end, and keeps nothing. The last
// line comes with io.EOF.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	tooLarge := false
	for {
		part, err := in.ReadSlice('\n')
		if tooLarge = tooLarge || len(line)+len(part) > maxEvent; tooLarge {
			line = nil
		} else {
			line = append(line, part...)
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == nil && tooLarge:
			return nil, errTooLarge
		}
		return line, err
	}
}

// document reads JSON values one after the other: events, lists of them, and objects that have such a list.
func (s *scanner) document(in io.Reader) bool {
	bounded := &budget{from: in}
	d := jsontext.NewDecoder(bounded, jsontext.AllowInvalidUTF8(true))
	for {
		bounded.left = maxEvent
		var more bool
		var err error
		switch d.PeekKind() {
		case '[':
			more, err = s.list(d, bounded)
		case '{':
			more, err = s.object(d, bounded)
		default:
			_, err = d.ReadToken()
			if err == nil {
				err = errNoEvent
			}
		}
		switch {
		case err == io.EOF:
			return true
		case err != nil:
			s.broken(&DamagedError{Path: s.path, Event: s.count + 1, Problem: problem(err), Rest: true})
			return true
		case !more:
			return false
		}
	}
}

// problem describes an error of a reader or a decoder without its words.
func problem(err error) string {
	switch {
	case errors.Is(err, errTooLarge):
		return errTooLarge.Error()
	case errors.Is(err, errNoEvent):
		return errNoEvent.Error()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "is cut off"
	}
	if _, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return "is not JSON"
	}
	if isDamaged(err) {
		return "is damaged"
	}
	switch {
	case errors.Is(err, errUnpacked):
		return "cannot be read: " + errUnpacked.Error()
	case errors.Is(err, syscall.EIO):
		return "cannot be read: the disk has errors"
	}
	return "cannot be read: the system reports an error"
}

// object reads an object: an event, or one with a list of events, whose other members do not matter.
func (s *scanner) object(d *jsontext.Decoder, bounded *budget) (more bool, err error) {
	if _, err := d.ReadToken(); err != nil {
		return true, err
	}
	event, listed := []byte("{"), false
	for d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			return true, err
		}
		member := token.String()
		if d.PeekKind() == '[' && isList(member) {
			listed = true
			if more, err := s.list(d, bounded); !more || err != nil {
				return more, err
			}
			continue
		}
		if len(event) > 1 {
			event = append(event, ',')
		}
		event, _ = jsontext.AppendQuote(event, member) // it was read as valid JSON
		event = append(event, ':')
		value, err := d.ReadValue()
		if err != nil {
			return true, err
		}
		event = append(event, value...)
	}
	if _, err = d.ReadToken(); err != nil || listed {
		return true, err
	}
	return s.event(append(event, '}')), nil
}

// list reads the events of a list.
func (s *scanner) list(d *jsontext.Decoder, bounded *budget) (more bool, err error) {
	if _, err := d.ReadToken(); err != nil {
		return true, err
	}
	for d.PeekKind() != ']' {
		bounded.left = maxEvent
		value, err := d.ReadValue()
		if err != nil {
			return true, err
		}
		if !s.event(value) {
			return false, nil
		}
	}
	_, err = d.ReadToken()
	return true, err
}

// event parses an event in a list.
func (s *scanner) event(value []byte) bool {
	s.count++
	event, err := parse(value)
	if err != nil {
		s.broken(&DamagedError{Path: s.path, Event: s.count, Problem: err.Error()})
		return true
	}
	return s.yield(event)
}

// budget is a reader of at most left bytes, which is set anew before each event: no event can fill the memory.
type budget struct {
	from io.Reader
	left int
}

func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.from.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
