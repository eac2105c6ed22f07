package policy

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"io"
	"slices"
)

// Parse reads a document of a kind, as IAM does when a policy is put. What it refuses is a
// *[MalformedError]. Condition keys are not checked: IAM stores unknown ones.
func Parse(kind Kind, data []byte) (*Document, error) {
	if len(data) > MaxDocument {
		return nil, malformed(kind.textInvalid(), "", "the document has %d bytes, and at most %d are read", len(data), MaxDocument)
	}
	p := &parser{kind: kind, in: jsontext.NewDecoder(bytes.NewReader(data))}
	doc, err := p.document()
	if err == nil {
		err = p.end()
	}
	if err == nil {
		err = check(kind, doc)
	}
	if err != nil {
		return nil, p.refusal(err)
	}
	if doc.Version == "" {
		doc.Version = version2008 // IAMG reference_policies_elements_version: the default
	}
	return doc, nil
}

// textInvalid is the text for what is not JSON.
func (k Kind) textInvalid() string {
	if k == Trust {
		return textJSON
	}
	return textSyntax
}

// parser reads the tokens of a document in the order of its grammar: what the grammar does not
// have is an error at once, so nothing is nested deeper than it.
type parser struct {
	kind Kind
	in   *jsontext.Decoder
}

// refusal turns errors of the decoder, with their raw text, into ours. A key that occurs twice is one
// of them (IAMG reference_policies_grammar: "must not contain multiple instances of the same key").
func (p *parser) refusal(err error) error {
	var wrong *MalformedError
	switch {
	case errors.As(err, &wrong):
		return wrong
	case errors.Is(err, jsontext.ErrDuplicateName):
		return malformed(textSyntax, string(p.in.StackPointer()), "a key occurs twice")
	}
	return malformed(p.kind.textInvalid(), string(p.in.StackPointer()), "not valid JSON at byte %d", p.in.InputOffset())
}

// syntax refuses the value that was read last.
func (p *parser) syntax(why string, args ...any) error {
	return malformed(textSyntax, string(p.in.StackPointer()), why, args...)
}

func (p *parser) end() error {
	if _, err := p.in.ReadToken(); !errors.Is(err, io.EOF) {
		return malformed(p.kind.textInvalid(), "", "more follows the document")
	}
	return nil
}

func (p *parser) document() (*Document, error) {
	doc := &Document{}
	found := false
	err := p.object(func(name string) (err error) {
		switch name {
		case "Version":
			if doc.Version, err = p.text(); err == nil && !slices.Contains([]string{version2008, version2012}, doc.Version) {
				err = p.syntax("Version is %s or %s", version2012, version2008)
			}
		case "Id":
			doc.ID, err = p.text()
		case "Statement":
			found = true
			doc.Statements, err = p.statements()
		default:
			err = p.syntax("a policy has no element %q", name)
		}
		return err
	})
	if err == nil && !found {
		err = malformed(textSyntax, "", "the policy has no Statement")
	}
	return doc, err
}

// statements reads one statement, or a list (IAMG reference_policies_elements_statement).
func (p *parser) statements() ([]Statement, error) {
	var all []Statement
	err := p.oneOrMore(func() error {
		s, err := p.statement()
		all = append(all, s)
		return err
	})
	if err == nil && len(all) == 0 {
		text := textSyntax
		if p.kind == Trust {
			text = textEmpty
		}
		err = malformed(text, "/Statement", "the list is empty")
	}
	return all, err
}

// object calls member for each name of an object, with its value next.
func (p *parser) object(member func(name string) error) error {
	if p.in.PeekKind() != '{' {
		return p.unexpected("an object")
	}
	if _, err := p.in.ReadToken(); err != nil {
		return err
	}
	for p.in.PeekKind() != '}' {
		name, err := p.in.ReadToken()
		if err != nil {
			return err
		}
		if err := member(name.String()); err != nil {
			return err
		}
	}
	_, err := p.in.ReadToken()
	return err
}

// oneOrMore calls item for a value, or for each value of a list.
func (p *parser) oneOrMore(item func() error) error {
	if p.in.PeekKind() != '[' {
		return item()
	}
	if _, err := p.in.ReadToken(); err != nil {
		return err
	}
	for p.in.PeekKind() != ']' {
		if err := item(); err != nil {
			return err
		}
	}
	_, err := p.in.ReadToken()
	return err
}

// text reads a string.
func (p *parser) text() (string, error) {
	if p.in.PeekKind() != '"' {
		return "", p.unexpected("a string")
	}
	token, err := p.in.ReadToken()
	return token.String(), err
}

// texts reads a string, or a list of them.
func (p *parser) texts() ([]string, error) {
	var all []string
	err := p.oneOrMore(func() error {
		s, err := p.text()
		all = append(all, s)
		return err
	})
	return all, err
}

// unexpected is the error for a value of another type, or for no JSON at all.
func (p *parser) unexpected(want string) error {
	if kind := p.in.PeekKind(); kind == jsontext.KindInvalid || kind == '}' || kind == ']' {
		if _, err := p.in.ReadToken(); err != nil {
			return err
		}
	}
	return p.syntax("%s is expected", want)
}
